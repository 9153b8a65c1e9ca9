import { useMemo } from "react";
import type { TurnResult } from "@/protocol/engine";
import { formatBytes, formatMs } from "@/telemetry/format";
import cache from "../cache/Cache.module.css";
import { settingsLabel } from "../shared/settingsWords";
import { useApp, useCharts, useChat, useModel } from "../useApp";
import styles from "./Charts.module.css";
import { LiveChart } from "./LiveChart";
import { joinByToken, latencyChart } from "./latencyChart";
import { ShowData } from "./ShowData";

/** Decode time per token of the current run beside the last run with the full cache. */
export function LatencyBlock() {
  const { charts, policies } = useApp();
  const source = useMemo(() => latencyChart(charts), [charts]);
  const ms = useCharts((state) => state.stages?.decodePerToken.median);
  const full = useCharts((state) => state.fullMedianMs);
  const settings = useChat((state) =>
    state.conversation.exchanges
      .flatMap(({ attempts }) => attempts)
      .findLast(({ run }) => run.phase === "running" || run.phase === "done"),
  )?.settings;
  const isFallback = useModel((state) => state.phase === "ready" && state.info.adapter.isFallback);
  const name = settings ? settingsLabel(policies, settings) : "";

  return (
    <section className={cache.block} aria-label="Time per token">
      <div className={styles.head}>
        <h2>Time per token</h2>
        <span className={`num ${styles.values}`}>
          {ms !== undefined && formatMs(ms)}
          {full !== undefined && <i> · full {formatMs(full)}</i>}
        </span>
      </div>
      <p className={styles.keys}>
        <span className={styles.current}>{name}</span>
        {full !== undefined && <span className={styles.reference}>full cache</span>}
      </p>
      <LiveChart source={source} height={96} label={latencyLabel(ms, full)} />
      <ShowData
        caption="Time per token"
        read={() => {
          const [tokens, current, reference] = joinByToken(
            charts.tokens.view(),
            charts.reference.view(),
          );
          return {
            columns: ["token", "ms", "full cache ms"],
            rows: tokens.map((token, index) => [
              token,
              current[index] ?? Number.NaN,
              reference[index] ?? Number.NaN,
            ]),
          };
        }}
      >
        <SpeedRemark />
        {isFallback && (
          <span className={styles.narrowOnly}>
            {" "}
            Software adapter: times are not representative.
          </span>
        )}
      </ShowData>
    </section>
  );
}

function latencyLabel(ms: TurnResult["ms"]["firstToken"] | undefined, full: number | undefined) {
  if (ms === undefined) return "Time per token: no samples yet";
  const reference = full === undefined ? "" : `, with the full cache ${formatMs(full)}`;
  return `Time per token: median ${formatMs(ms)}${reference}`;
}

/** Says which of two situations this is: weights outweigh the cache, or the cache the weights. */
function SpeedRemark() {
  const reads = useCharts((state) => state.reads);
  if (!reads) return <>From the second token on.</>;
  const { weights, fullKv: full } = reads;
  const sizes = `${formatBytes(weights)} of weights and up to ${formatBytes(full)} of cache per token`;
  if (full < weights / 2) return <>{sizes}: keeping less frees memory, time hardly falls.</>;
  return <>{sizes}: keeping less makes tokens faster.</>;
}
