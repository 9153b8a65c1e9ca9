import { texts } from "@/language/language";
import styles from "./Legend.module.css";
import type { ViewerContent } from "./useViewerContent";

/** The legend of the overlay; its space is reserved when it is empty. */
export function Legend({ view: { overlay, attention } }: { readonly view: ViewerContent }) {
  const words = texts.viewer.legend;
  const paint = overlay?.paint;
  const missed = attention?.reference?.missed.length ?? 0;
  return (
    <div className={styles.legend}>
      {paint?.kind === "kept" && (
        <>
          <span className={styles.key} title={words.droppedHelp}>
            <i className={styles.dropped} aria-hidden="true" /> {words.dropped}
          </span>
          <span className={styles.key} title={words.keptMostHelp}>
            <i className={styles.kept} aria-hidden="true" /> {words.keptMost}
          </span>
        </>
      )}
      {paint && paint.kind !== "kept" && (
        <span className={styles.scale} data-kind={paint.kind}>
          {paint.kind === "heat" ? words.low : words.less} <i aria-hidden="true" />{" "}
          {paint.kind === "heat" ? words.high : words.more}
        </span>
      )}
      {paint && overlay.sinks.size > 0 && (
        <span className={styles.sink}>
          <i aria-hidden="true" /> {words.sink}
        </span>
      )}
      {missed > 0 && (
        <span className={styles.missed} title={words.missed}>
          <i aria-hidden="true" /> {words.missed}
        </span>
      )}
    </div>
  );
}
