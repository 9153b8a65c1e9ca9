import { texts } from "@/language/language";
import { formatMegabytes } from "@/text/format";
import { useApp, useViewer } from "../useApp";
import styles from "./Adding.module.css";

/** A fetch from another site: its progress, and a button to cancel. */
export function FetchingLine() {
  const { viewer } = useApp();
  const fetching = useViewer((state) => state.fetching);
  if (!fetching) return null;
  const { host, loaded, total } = fetching;
  const words = texts.viewer.add;
  return (
    <div className={styles.fetching}>
      <p>
        {words.fetching(host)}
        {loaded > 0 && (
          <span className="num">
            {" "}
            {words.fetched(
              formatMegabytes(loaded),
              total === undefined ? total : formatMegabytes(total),
            )}
          </span>
        )}
      </p>
      <progress
        aria-label={words.fetchedBar}
        {...(total === undefined ? {} : { value: loaded, max: total })}
      />
      <button type="button" className={styles.link} onClick={() => viewer.stopReading()}>
        {words.stop}
      </button>
    </div>
  );
}
