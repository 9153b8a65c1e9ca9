import { texts } from "@/language/language";
import { formatMs } from "@/text/format";
import { useCharts } from "../useApp";
import styles from "./Charts.module.css";
import { ShowData } from "./ShowData";

/** Times of the last answer's stages. */
export function StagesBlock() {
  const ms = useCharts((state) => state.stages);
  const decodeMs = useCharts((state) => state.decodeMs);
  const stages = [
    ["vision", ms?.vision ?? 0],
    ["prefill", ms?.prefill ?? 0],
    ["score", ms?.score ?? 0],
    ["plan", ms?.plan ?? 0],
    ["compact", ms?.compact ?? 0],
    ["decode", decodeMs],
  ] as const;
  const words = texts.charts.stages;
  const total = stages.reduce((sum, [, time]) => sum + time, 0);
  return (
    <section className={styles.section} aria-label={words.name}>
      <div className={styles.head}>
        <h2>{words.name}</h2>
        <span className={`num ${styles.values}`}>{total > 0 && formatMs(total)}</span>
      </div>
      <div className={styles.stages} aria-hidden="true">
        {total > 0 &&
          stages.map(([stage, time]) =>
            time > 0 ? (
              <i key={stage} data-stage={stage} style={{ flexGrow: time / total }} />
            ) : null,
          )}
      </div>
      <dl className={`num ${styles.stageList}`}>
        {stages.map(([stage, time]) => (
          <div key={stage}>
            <dt>
              <i data-stage={stage} aria-hidden="true" />
              {words[stage]}
            </dt>
            <dd>{total > 0 ? formatMs(time) : "–"}</dd>
          </div>
        ))}
      </dl>
      <ShowData
        caption={words.name}
        read={() => ({
          columns: [texts.charts.columns.stage, texts.charts.columns.ms],
          rows: stages.map(([stage, time]) => [words[stage], Number(time.toFixed(2))]),
        })}
      />
    </section>
  );
}
