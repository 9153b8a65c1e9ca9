import { type ReactNode, useMemo } from "react";
import type { TurnResult } from "@/protocol/engine";
import type { TurnPoint } from "@/store/chat/turnHistory";
import type { Charts } from "@/store/engine/charts";
import type { DataTable } from "@/text/csv";
import { formatBytes, formatMs } from "@/text/format";
import cache from "../cache/Cache.module.css";
import { settingsLabel } from "../shared/settingsWords";
import { useApp, useCharts, useChat, useModel } from "../useApp";
import styles from "./Charts.module.css";
import { LiveChart } from "./LiveChart";
import { joinByToken, latencyChart } from "./latencyChart";
import { ShowData } from "./ShowData";
import { turnTimesChart } from "./turnCharts";
import { useTurnHistory } from "./useTurnHistory";

/** Decode time per token, of the current run or of each turn, beside the full cache's last run. */
export function LatencyBlock() {
  const ms = useCharts((state) => state.phases?.decodePerToken.median);
  const full = useCharts((state) => state.fullMedianMs);
  const view = useCharts((state) => state.view);
  return (
    <section className={cache.block} aria-label="Time per token">
      <div className={styles.head}>
        <h2>Time per token</h2>
        <span className={`num ${styles.values}`}>
          {ms !== undefined && formatMs(ms)}
          {full !== undefined && <i> · full {formatMs(full)}</i>}
        </span>
      </div>
      {view === "live" ? <OverTokens ms={ms} full={full} /> : <ByTurn full={full} />}
    </section>
  );
}

interface Times {
  /** Median of the newest answer. */
  readonly ms: TurnResult["ms"]["firstToken"] | undefined;
  /** Median of the last run with the full cache. */
  readonly full: number | undefined;
}

function OverTokens({ ms, full }: Times) {
  const { charts, policies } = useApp();
  const source = useMemo(() => latencyChart(charts), [charts]);
  const settings = useChat((state) =>
    state.conversation.exchanges
      .flatMap(({ attempts }) => attempts)
      .findLast(({ run }) => run.phase === "running" || run.phase === "done"),
  )?.settings;
  return (
    <>
      <Keys full={full}>{settings && settingsLabel(policies, settings)}</Keys>
      <LiveChart source={source} height={96} label={latencyLabel(ms, full)} />
      <ShowData caption="Time per token" read={() => tokenTable(charts)}>
        <Remarks />
      </ShowData>
    </>
  );
}

function ByTurn({ full }: Pick<Times, "full">) {
  const { policies } = useApp();
  const points = useTurnHistory();
  const source = useMemo(() => turnTimesChart(points, full), [points, full]);
  return (
    <>
      <Keys full={full}>median of each answer</Keys>
      <LiveChart source={source} height={96} label={turnLabel(points)} />
      <ShowData
        caption="Time per token by turn"
        read={() => ({
          columns: ["turn", "answered with", "ms per token"],
          rows: points.map(({ turn, settings, msPerToken }) => [
            turn,
            settingsLabel(policies, settings),
            msPerToken ?? Number.NaN,
          ]),
        })}
      >
        <Remarks />
      </ShowData>
    </>
  );
}

/** Names of the two lines, each in its colour. */
function Keys({ full, children }: Pick<Times, "full"> & { readonly children: ReactNode }) {
  return (
    <p className={styles.keys}>
      <span className={styles.current}>{children}</span>
      {full !== undefined && <span className={styles.reference}>full cache</span>}
    </p>
  );
}

function Remarks() {
  const isFallback = useModel((state) => state.phase === "ready" && state.info.adapter.isFallback);
  return (
    <p>
      <SpeedRemark />
      {isFallback && (
        <span className={styles.narrowOnly}> Software adapter: times are not representative.</span>
      )}
    </p>
  );
}

function tokenTable({ tokens, reference }: Charts): DataTable {
  const [numbers, current, full] = joinByToken(tokens.view(), reference.view());
  return {
    columns: ["token", "ms", "full cache ms"],
    rows: numbers.map((token, index) => [
      token,
      current[index] ?? Number.NaN,
      full[index] ?? Number.NaN,
    ]),
  };
}

function turnLabel(points: readonly TurnPoint[]): string {
  const last = points.findLast(({ msPerToken }) => msPerToken !== undefined);
  if (last?.msPerToken === undefined) return "Time per token by turn: no answers yet";
  return `Time per token by turn: ${formatMs(last.msPerToken)} in turn ${last.turn}`;
}

function latencyLabel(ms: Times["ms"], full: number | undefined) {
  if (ms === undefined) return "Time per token: no samples yet";
  const reference = full === undefined ? "" : `, with the full cache ${formatMs(full)}`;
  return `Time per token: median ${formatMs(ms)}${reference}`;
}

/** States whether weights or cache dominate the bytes that a token reads. */
function SpeedRemark() {
  const reads = useCharts((state) => state.reads);
  if (!reads) return <>From the second token on.</>;
  const { weights, fullKv: full } = reads;
  const sizes = `${formatBytes(weights)} of weights and up to ${formatBytes(full)} of cache per token`;
  if (full < weights / 2) return <>{sizes}: keeping less frees memory, time hardly falls.</>;
  return <>{sizes}: keeping less makes tokens faster.</>;
}
