import { useMemo } from "react";
import { texts } from "@/language/language";
import type { TurnPoint } from "@/store/chat/turnHistory";
import type { Charts } from "@/store/engine/charts";
import type { DataTable } from "@/text/csv";
import { bytesParts, formatBytes, formatChange } from "@/text/format";
import cache from "../cache/Cache.module.css";
import { Segmented } from "../shared/Segmented";
import { settingsLabel } from "../shared/settingsWords";
import { useApp, useCharts, useChat } from "../useApp";
import styles from "./Charts.module.css";
import { LiveChart } from "./LiveChart";
import { memoryChart } from "./memoryChart";
import { ShowData } from "./ShowData";
import { turnBytesChart } from "./turnCharts";
import { useTurnHistory } from "./useTurnHistory";

/** KV bytes of live GPU buffers now, relative to the full cache. */
export function Meter() {
  const reading = useCharts((state) => state.reading);
  const kv = reading?.pools.kv ?? 0;
  const full = reading?.fullKv ?? 0;
  const { value, unit } = bytesParts(kv);
  const share = full > 0 ? Math.min(1, kv / full) : 0;
  // A loaded model reports its weights before the cache has rows.
  const isEmpty = full === 0;
  const words = texts.charts.memory;

  return (
    <section className={cache.block} aria-label={words.name}>
      <div className={styles.head}>
        <h2>{words.name}</h2>
        <span className={`num ${styles.change}`}>{!isEmpty && formatChange(kv, full)}</span>
      </div>
      <p className={`num ${styles.big}`}>
        {isEmpty ? "–" : value}
        <span> {isEmpty ? words.empty : words.of(unit, formatBytes(full))}</span>
      </p>
      <div className={styles.meter}>
        <meter aria-label={words.meter} min={0} max={full || 1} value={kv}>
          {isEmpty ? words.empty : texts.charts.of(formatBytes(kv), formatBytes(full))}
        </meter>
        <i style={{ transform: `scaleX(${share})` }} />
      </div>
    </section>
  );
}

/** KV bytes over time or turns. */
export function MemoryChart() {
  const view = useCharts((state) => state.view);
  return (
    <section className={styles.section} aria-label={texts.charts.tabs.memory}>
      {view === "live" ? <OverTime /> : <ByTurn />}
    </section>
  );
}

function OverTime() {
  const { charts } = useApp();
  const reading = useCharts((state) => state.reading);
  const cap = useCap();
  const source = useMemo(() => memoryChart(charts, cap), [charts, cap]);
  const words = texts.charts.memory;
  const label = reading
    ? words.overTimeNow(formatBytes(reading.pools.kv), formatBytes(reading.fullKv))
    : words.overTimeEmpty;
  return (
    <>
      <LiveChart source={source} height={100} label={label} />
      <ShowData caption={words.overTime} read={() => samples(charts)}>
        <ViewChoice />
      </ShowData>
    </>
  );
}

function ByTurn() {
  const { policies } = useApp();
  const points = useTurnHistory();
  const source = useMemo(() => turnBytesChart(points), [points]);
  const { columns } = texts.charts;
  return (
    <>
      <LiveChart source={source} height={100} label={turnLabel(points)} />
      <ShowData
        caption={texts.charts.memory.byTurn}
        read={() => ({
          columns: [columns.turn, columns.answeredWith, columns.bytes, columns.fullBytes],
          rows: points.map(({ turn, settings, kvBytes, fullKvBytes }) => [
            turn,
            settingsLabel(policies, settings),
            kvBytes,
            fullKvBytes,
          ]),
        })}
      >
        <ViewChoice />
      </ShowData>
    </>
  );
}

/** One choice for the charts of bytes and of time. */
export function ViewChoice() {
  const { charts } = useApp();
  const view = useCharts((state) => state.view);
  const { choice, overTime, byTurn } = texts.charts;
  const choices = [
    { value: "live", label: overTime },
    { value: "turns", label: byTurn },
  ] as const;
  return <Segmented label={choice} value={view} choices={choices} onChange={charts.show} />;
}

/** The cap of the newest answer's settings in bytes, if it has one. */
function useCap(): number | undefined {
  return useChat((state) => {
    const attempts = state.conversation.exchanges.flatMap((exchange) => exchange.attempts);
    const capMb = attempts.findLast(({ run }) => run.phase !== "queued")?.settings.capMb;
    return capMb === undefined ? undefined : capMb * 1e6;
  });
}

function samples({ memory }: Charts): DataTable {
  const [seconds = [], bytes = [], full = []] = memory.view();
  const { columns } = texts.charts;
  return {
    columns: [columns.seconds, columns.bytes, columns.fullBytes],
    rows: Array.from(seconds, (second, index) => [
      Number(second.toFixed(3)),
      bytes[index] ?? 0,
      full[index] ?? 0,
    ]),
  };
}

function turnLabel(points: readonly TurnPoint[]): string {
  const last = points.at(-1);
  const { byTurnNow, byTurnEmpty } = texts.charts.memory;
  if (!last) return byTurnEmpty;
  return byTurnNow(formatBytes(last.kvBytes), last.turn, formatBytes(last.fullKvBytes));
}
