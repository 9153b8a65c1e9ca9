import { type ReactNode, useMemo } from "react";
import { texts } from "@/language/language";
import type { TurnPoint } from "@/store/chat/turnHistory";
import type { Charts } from "@/store/engine/charts";
import type { DataTable } from "@/text/csv";
import { formatBytes, formatMs } from "@/text/format";
import { settingsLabel } from "../shared/settingsWords";
import { useApp, useCharts, useChat, useModel } from "../useApp";
import styles from "./Charts.module.css";
import { LiveChart } from "./LiveChart";
import { joinByToken, latencyChart } from "./latencyChart";
import { ViewChoice } from "./Memory";
import { ShowData } from "./ShowData";
import { turnTimesChart } from "./turnCharts";
import { useTurnHistory } from "./useTurnHistory";

/** Decode time per token, of the current run or of each turn, beside the full cache's last run. */
export function LatencyBlock() {
  const ms = useCharts((state) => state.stages?.decodePerToken.median || undefined);
  const full = useCharts((state) => state.fullMedianMs);
  const view = useCharts((state) => state.view);
  const last = useTurnHistory().at(-1)?.msPerToken;
  const shown = view === "live" ? ms : last;
  return (
    <section className={styles.section} aria-label={texts.charts.time.name}>
      <h2>{texts.charts.time.name}</h2>
      {view === "live" ? <OverTokens ms={shown} full={full} /> : <ByTurn ms={shown} full={full} />}
    </section>
  );
}

interface Times {
  /** Median of the newest answer; undefined for one of a single token. */
  readonly ms: number | undefined;
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
      <Keys ms={ms} full={full}>
        {settings && settingsLabel(policies, settings)}
      </Keys>
      <LiveChart source={source} height={84} label={latencyLabel(ms, full)} />
      <ShowData caption={texts.charts.time.name} read={() => tokenTable(charts)}>
        <div className={styles.tabOnly}>
          <ViewChoice />
        </div>
      </ShowData>
      <Remarks />
    </>
  );
}

function ByTurn({ ms, full }: Times) {
  const { policies } = useApp();
  const points = useTurnHistory();
  const source = useMemo(() => turnTimesChart(points, full), [points, full]);
  const { columns } = texts.charts;
  return (
    <>
      <Keys ms={ms} full={full}>
        {texts.charts.time.median}
      </Keys>
      <LiveChart source={source} height={84} label={turnLabel(points)} />
      <ShowData
        caption={texts.charts.time.byTurn}
        read={() => ({
          columns: [columns.turn, columns.answeredWith, columns.msPerToken],
          rows: points.map(({ turn, settings, msPerToken }) => [
            turn,
            settingsLabel(policies, settings),
            msPerToken ?? Number.NaN,
          ]),
        })}
      >
        <div className={styles.tabOnly}>
          <ViewChoice />
        </div>
      </ShowData>
      <Remarks />
    </>
  );
}

/** Names and medians of the two lines, each in its colour. */
function Keys({ ms, full, children }: Times & { readonly children: ReactNode }) {
  return (
    <p className={styles.keys}>
      <span className={styles.current}>
        {children} {ms !== undefined && <b className="num">{formatMs(ms)}</b>}
      </span>
      {full !== undefined && (
        <span className={styles.reference}>
          {texts.charts.time.fullCache} <b className="num">{formatMs(full)}</b>
        </span>
      )}
    </p>
  );
}

function Remarks() {
  const isFallback = useModel((state) => state.phase === "ready" && state.info.adapter.isFallback);
  return (
    <p className={styles.remark}>
      <SpeedRemark />
      {isFallback && <span className={styles.narrowOnly}>{texts.charts.time.software}</span>}
    </p>
  );
}

function tokenTable({ tokens, reference }: Charts): DataTable {
  const [numbers, current, full] = joinByToken(tokens.view(), reference.view());
  const { columns } = texts.charts;
  return {
    columns: [columns.token, columns.ms, columns.fullMs],
    rows: numbers.map((token, index) => [
      token,
      current[index] ?? Number.NaN,
      full[index] ?? Number.NaN,
    ]),
  };
}

function turnLabel(points: readonly TurnPoint[]): string {
  const last = points.findLast(({ msPerToken }) => msPerToken !== undefined);
  const { byTurnNow, byTurnEmpty } = texts.charts.time;
  if (last?.msPerToken === undefined) return byTurnEmpty;
  return byTurnNow(formatMs(last.msPerToken), last.turn);
}

function latencyLabel(ms: Times["ms"], full: number | undefined) {
  const { now, empty } = texts.charts.time;
  if (ms === undefined) return empty;
  return now(formatMs(ms), full === undefined ? full : formatMs(full));
}

/** States whether weights or cache dominate the bytes that a token reads. */
function SpeedRemark() {
  const reads = useCharts((state) => state.reads);
  const words = texts.charts.time;
  if (!reads) return words.fromSecond;
  const { weights, fullKv: full } = reads;
  const say = full < weights / 2 ? words.weightsDominate : words.cacheDominates;
  return say(formatBytes(weights), formatBytes(full));
}
