import { texts } from "@/language/language";
import { formatMs } from "@/text/format";
import { useCharts } from "../useApp";
import styles from "./Charts.module.css";
import { ShowData } from "./ShowData";

/** Times of the last answer's phases. */
export function PhasesBlock() {
  const ms = useCharts((state) => state.phases);
  const decodeMs = useCharts((state) => state.decodeMs);
  const phases = [
    ["vision", ms?.vision ?? 0],
    ["prefill", ms?.prefill ?? 0],
    ["score", ms?.score ?? 0],
    ["plan", ms?.plan ?? 0],
    ["compact", ms?.compact ?? 0],
    ["decode", decodeMs],
  ] as const;
  const words = texts.charts.phases;
  const total = phases.reduce((sum, [, time]) => sum + time, 0);
  return (
    <section className={styles.section} aria-label={words.name}>
      <div className={styles.head}>
        <h2>{words.name}</h2>
        <span className={`num ${styles.values}`}>{total > 0 && formatMs(total)}</span>
      </div>
      <div className={styles.phases} aria-hidden="true">
        {total > 0 &&
          phases.map(([phase, time]) =>
            time > 0 ? (
              <i key={phase} data-phase={phase} style={{ flexGrow: time / total }} />
            ) : null,
          )}
      </div>
      <dl className={`num ${styles.phaseList}`}>
        {phases.map(([phase, time]) => (
          <div key={phase}>
            <dt>
              <i data-phase={phase} aria-hidden="true" />
              {words[phase]}
            </dt>
            <dd>{total > 0 ? formatMs(time) : "–"}</dd>
          </div>
        ))}
      </dl>
      <ShowData
        caption={words.name}
        read={() => ({
          columns: [texts.charts.columns.phase, texts.charts.columns.ms],
          rows: phases.map(([phase, time]) => [words[phase], Number(time.toFixed(2))]),
        })}
      />
    </section>
  );
}
