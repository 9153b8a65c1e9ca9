import { formatMegabytes } from "@/text/format";
import { useApp, useViewer } from "../useApp";
import styles from "./Adding.module.css";

/** A fetch from another site: its progress, and a button to cancel. */
export function FetchingLine() {
  const { viewer } = useApp();
  const fetching = useViewer((state) => state.fetching);
  if (!fetching) return null;
  const { host, loaded, total } = fetching;
  return (
    <div className={styles.fetching}>
      <p>
        Fetching from {host}
        {loaded > 0 && (
          <span className="num">
            {" "}
            {formatMegabytes(loaded)}
            {total !== undefined && ` of ${formatMegabytes(total)}`}
          </span>
        )}
      </p>
      <progress
        aria-label="Image fetched"
        {...(total === undefined ? {} : { value: loaded, max: total })}
      />
      <button type="button" className={styles.link} onClick={() => viewer.stopReading()}>
        Stop
      </button>
    </div>
  );
}
