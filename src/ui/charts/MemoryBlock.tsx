import { useMemo } from "react";
import { bytesParts, formatBytes, formatChange } from "@/telemetry/format";
import cache from "../cache/Cache.module.css";
import { useApp, useCharts } from "../useApp";
import styles from "./Charts.module.css";
import { LiveChart } from "./LiveChart";
import { memoryChart } from "./memoryChart";
import { ShowData } from "./ShowData";

/** KV bytes of live GPU buffers: now, of what the full cache would take, and over time. */
export function MemoryBlock() {
  const { charts } = useApp();
  const reading = useCharts((state) => state.reading);
  const source = useMemo(() => memoryChart(charts), [charts]);
  const kv = reading?.pools.kv ?? 0;
  const full = reading?.fullKv ?? 0;
  const { value, unit } = bytesParts(kv);
  const share = full > 0 ? Math.min(1, kv / full) : 0;

  return (
    <section className={cache.block} aria-label="KV cache now">
      <div className={styles.head}>
        <h2>KV cache now</h2>
        <span className={`num ${styles.change}`}>{full > 0 && formatChange(kv, full)}</span>
      </div>
      <p className={`num ${styles.big}`}>
        {reading ? value : "–"}
        <span>{reading ? ` ${unit} of ${formatBytes(full)} full` : " nothing cached yet"}</span>
      </p>
      <div className={styles.meter}>
        <meter aria-label="KV cache kept" min={0} max={full || 1} value={kv}>
          {formatBytes(kv)} of {formatBytes(full)}
        </meter>
        <i style={{ transform: `scaleX(${share})` }} />
      </div>
      <LiveChart
        source={source}
        height={92}
        label={
          reading
            ? `KV cache over time: now ${formatBytes(kv)}, the full cache would be ${formatBytes(full)}`
            : "KV cache over time: no samples yet"
        }
      />
      <ShowData
        caption="KV cache over time"
        read={() => {
          const [seconds, bytes, fullBytes] = charts.memory.view();
          return {
            columns: ["seconds", "KV bytes", "full KV bytes"],
            rows: Array.from(seconds!, (second, index) => [
              Number(second.toFixed(3)),
              bytes![index]!,
              fullBytes![index]!,
            ]),
          };
        }}
      >
        Live GPU buffers; pauses left out. Dotted: full cache.
      </ShowData>
    </section>
  );
}
