import { type ReactNode, useState } from "react";
import { texts } from "@/language/language";
import { type DataTable, toCsv } from "@/text/csv";
import { copyText, SwapLabel, useSaid } from "../shared/Copy";
import { Popup } from "../shared/Popup";
import styles from "./Charts.module.css";

/** Rows that are written out; the CSV always has all of them. */
const MAX_ROWS = 200;

interface Source {
  readonly caption: string;
  /** Called when the table is opened or copied, not while it is closed. */
  readonly read: () => DataTable;
}

interface Props extends Source {
  /** One line about the chart, beside the button. */
  readonly children?: ReactNode;
}

/** A chart's samples as a table, for screen readers and for export. */
export function ShowData({ children, caption, read }: Props) {
  const words = texts.charts.data;
  return (
    <div className={styles.foot}>
      <div>{children}</div>
      <Popup
        label={words.show}
        name={words.showOf(caption)}
        title={caption}
        className={styles.show}
      >
        {() => <Data caption={caption} read={read} />}
      </Popup>
    </div>
  );
}

function Data({ caption, read }: Source) {
  const [table, setTable] = useState(read);
  const [said, say] = useSaid();
  const words = texts.charts.data;

  return (
    <div className={styles.data}>
      <div className={styles.tools}>
        <button type="button" onClick={() => setTable(read())}>
          {words.refresh}
        </button>
        <button type="button" onClick={async () => say(await copyText(toCsv(read())))}>
          <SwapLabel words={{ ...texts.chat.copy, copy: words.copy }} shown={said ?? "copy"} />
        </button>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region */}
      <section className={styles.scroll} tabIndex={0} aria-label={words.name(caption)}>
        <table className="num">
          <caption className="unseen">{caption}</caption>
          <thead>
            <tr>
              {table.columns.map((column) => (
                <th key={column} scope="col">
                  {column}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {table.rows.slice(-MAX_ROWS).map((row, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: rows have no other name
              <tr key={index}>
                {row.map((cell, column) => (
                  // biome-ignore lint/suspicious/noArrayIndexKey: nor have their cells
                  <td key={column}>{cell}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      {table.rows.length > MAX_ROWS && <p>{words.shortened(MAX_ROWS, table.rows.length)}</p>}
    </div>
  );
}
