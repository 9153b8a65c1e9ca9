import { formatMs } from "@/text/format";
import cache from "../cache/Cache.module.css";
import { useCharts } from "../useApp";
import styles from "./Charts.module.css";
import { ShowData } from "./ShowData";

/** Where the last answer's time went, stage by stage. */
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
  const total = stages.reduce((sum, [, time]) => sum + time, 0);
  return (
    <section className={cache.block} aria-label="Where the time went">
      <div className={styles.head}>
        <h2>Where the time went</h2>
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
              {stage}
            </dt>
            <dd>{total > 0 ? formatMs(time) : "–"}</dd>
          </div>
        ))}
      </dl>
      <ShowData
        caption="Where the time went"
        read={() => ({
          columns: ["stage", "ms"],
          rows: stages.map(([stage, time]) => [stage, Number(time.toFixed(2))]),
        })}
      />
    </section>
  );
}
