import styles from "./Legend.module.css";
import type { ViewerContent } from "./useViewerContent";

const MISSED = "dropped; attended by the full cache";

/** The legend of the overlay; its space is reserved when it is empty. */
export function Legend({ view: { overlay, attention } }: { readonly view: ViewerContent }) {
  const paint = overlay?.paint;
  const missed = attention?.reference?.missed.length ?? 0;
  return (
    <div className={styles.legend}>
      {paint && paint.kind !== "kept" && (
        <span className={styles.scale} data-kind={paint.kind}>
          {paint.kind === "heat" ? "low" : "less"} <i aria-hidden="true" />{" "}
          {paint.kind === "heat" ? "high" : "more"}
        </span>
      )}
      {paint && overlay.sinks.size > 0 && (
        <span className={styles.sink}>
          <i aria-hidden="true" /> sink
        </span>
      )}
      {missed > 0 && (
        <span className={styles.missed} title={MISSED}>
          <i aria-hidden="true" /> {MISSED}
        </span>
      )}
    </div>
  );
}
