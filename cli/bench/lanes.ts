import type { ModelInfo } from "@/protocol/model";
import type { AskRequest } from "@/protocol/request";
import type { TurnResult } from "@/protocol/result";
import { median } from "@/text/stats";
import type { OpenedEngine } from "../shared/engine";

/** One lane of the report: a policy at a retention, over all repeats. */
interface LaneReport {
  readonly policy: string;
  readonly retention: number;
  readonly kvMb: { readonly before: number; readonly after: number; readonly peak: number };
  readonly ms: Record<"prefill" | "score" | "compact" | "firstToken" | "decode", Spread>;
}

interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

const LANES: readonly (readonly [policy: string, retention: number])[] = [
  ["full", 1],
  ["aircache", 0.1],
  ["prefixkv", 0.1],
  ["elastic", 0.1],
  ["snapkv", 0.1],
  ["streaming", 0.1],
];

interface LanesReport {
  /** The first answer, before anything is warm. */
  readonly cold: TurnResult;
  readonly rounds: number;
  readonly lanes: readonly LaneReport[];
}

/**
 * One warm-up, then rounds in which every lane runs once, so that drift affects all lanes equally.
 * @param rounds at most; `hasTime` decides on each after the first
 */
export async function benchLanes(
  page: OpenedEngine,
  question: Pick<AskRequest, "turns" | "sampling">,
  rounds: number,
  hasTime: (round: number) => boolean,
): Promise<LanesReport> {
  const ask = ([policy, retention]: readonly [string, number]) =>
    page.ask({
      ...question,
      settings: { policy, retention, scope: "visual", options: {} },
      fresh: true,
    });
  const cold = await ask(LANES[0] ?? ["full", 1]);
  const runs = LANES.map((): TurnResult[] => []);
  let round = 0;
  for (; round < rounds && (round === 0 || hasTime(round)); round++) {
    for (const [index, lane] of LANES.entries()) runs[index]?.push(await ask(lane));
  }
  const lanes = LANES.map(([policy, retention], index) =>
    report(policy, retention, runs[index] ?? []),
  );
  return { cold, rounds: round, lanes };
}

function report(policy: string, retention: number, runs: readonly TurnResult[]): LaneReport {
  const mb = (bytes: number) => bytes / 1e6;
  const last = runs.at(-1);
  if (!last) throw new Error(`${policy}: no run`);
  const spread = (read: (run: TurnResult) => number): Spread => {
    const times = runs.map(read);
    return { median: median(times), min: Math.min(...times), max: Math.max(...times) };
  };
  return {
    policy,
    retention,
    kvMb: {
      before: mb(last.kvBytes.before),
      after: mb(last.kvBytes.after),
      peak: mb(last.kvBytes.peak),
    },
    ms: {
      prefill: spread(({ ms }) => ms.prefill),
      score: spread(({ ms }) => ms.score),
      compact: spread(({ ms }) => ms.compact),
      firstToken: spread(({ ms }) => ms.firstToken),
      decode: spread(({ ms }) => ms.decodePerToken.median),
    },
  };
}

/** Prints the model, and a table of medians: one line per lane. */
export function printLanes(
  { id, adapter, kvType, loadMs }: ModelInfo,
  { cold, rounds, lanes }: LanesReport,
  line: (text: string) => void,
): void {
  const software = adapter.isFallback ? " (software: for correctness, not for speed)" : "";
  line(`${id}, ${kvType} cache, ${cold.promptTokens} prompt rows, ${rounds} rounds`);
  line(`${adapter.vendor} ${adapter.architecture}${software}, reduction: ${adapter.reduction}`);
  line(
    `ready ${loadMs.toFixed(0)} ms, first answer's first token ${cold.ms.firstToken.toFixed(0)} ms`,
  );
  line("");
  line(
    "policy          keep   prefill   score  compact   first  decode/token     KV MB     vs full",
  );
  const full = lanes[0]?.ms.decode.median ?? Number.NaN;
  for (const { policy, retention, ms, kvMb } of lanes) {
    const cells = [
      policy.padEnd(14),
      `${(retention * 100).toFixed(0)} %`.padStart(6),
      ...[ms.prefill, ms.score, ms.compact, ms.firstToken].map(({ median: m }) =>
        m.toFixed(0).padStart(8),
      ),
      `${ms.decode.median.toFixed(1)} (${ms.decode.min.toFixed(1)}–${ms.decode.max.toFixed(1)})`.padStart(
        18,
      ),
      kvMb.after.toFixed(2).padStart(8),
      (ms.decode.median / full).toFixed(2).padStart(8),
    ];
    line(cells.join(" "));
  }
}
