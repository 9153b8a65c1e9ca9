import type { Reduction } from "@/gpu/kernels/common/reduction";
import { type Decoder, promptIds } from "@/model/decoder/decoder";
import { compact } from "@/model/kv/compaction";
import { type TapInput, TapRecorder } from "@/model/taps/taps";
import { benchIds, filledCache, greedySteps } from "./stepCases";

/** Time of compaction and of decoding steps on the same cache, in milliseconds. */
export interface CompactionTimes {
  /** Median step of each repeat. */
  readonly steps: readonly number[];
  readonly compactions: readonly number[];
  /** Of each compaction, until its work was submitted: what the CPU does. */
  readonly submitted: readonly number[];
}

/** Prefills with one tap each, to compare with prefills without any, in milliseconds. */
export interface TapTimes {
  readonly plain: readonly number[];
  readonly tapped: Readonly<Record<string, readonly number[]>>;
}

const STEPS = 9;
const TEXT_ROWS = 24;
/** Enough for every kernel to be compiled. */
const WARM_UP_ROWS = 64;

const TAPS: Readonly<Record<string, TapInput["spec"]>> = {
  "window of 32": { window: { rows: 32, aggregate: "mean", kernel: 5 } },
  elite: { elite: { window: "elite", alpha: 0.9, perKvHead: false } },
  "column sums": { columnSum: true },
};

/** Decoding steps on a cache of `rows`, then the compaction of all its layers to `keep` of them. */
export async function timeCompaction(
  decoder: Decoder,
  {
    rows,
    keep,
    repeats,
  }: { readonly rows: number; readonly keep: number; readonly repeats: number },
): Promise<CompactionTimes> {
  const steps: number[] = [];
  const [compactions, submitted]: [number[], number[]] = [[], []];
  await timeTappedPrefill(decoder, 40); // compiles, and leaves logits to draw from
  for (let run = 0; run <= repeats; run++) {
    const cache = await filledCache(decoder, rows);
    const start = cache.rowCounts().map((layer) => layer.map(() => 0));
    const times = await greedySteps(decoder, cache, STEPS);
    const plan = evenPlan(decoder, rows, keep);
    let onCpu = 0;
    const ms = await timed(decoder, async () => {
      const started = performance.now();
      await compact(cache, plan, start);
      onCpu = performance.now() - started;
    });
    cache.destroy();
    if (run === 0) continue; // warm-up
    steps.push(middle(times.slice(1)));
    compactions.push(ms);
    submitted.push(onCpu);
  }
  return { steps, compactions, submitted };
}

/** A prefill of `rows` without taps, then with each; the readback is included. */
export async function timeTaps(
  decoder: Decoder,
  reduction: Reduction,
  { rows, repeats }: { readonly rows: number; readonly repeats: number },
): Promise<TapTimes> {
  const prefill = (count: number, spec?: TapInput["spec"]) =>
    timeTappedPrefill(decoder, count, spec && { spec, reduction });
  for (const spec of [undefined, ...Object.values(TAPS)]) await prefill(WARM_UP_ROWS, spec);
  const plain: number[] = [];
  const tapped = Object.fromEntries(
    Object.keys(TAPS).map((name): [string, number[]] => [name, []]),
  );
  for (let run = 0; run < repeats; run++) {
    plain.push(await prefill(rows));
    for (const [name, spec] of Object.entries(TAPS)) tapped[name]!.push(await prefill(rows, spec));
  }
  return { plain, tapped };
}

/**
 * Prefills pseudo-random tokens into a new cache; resolves with milliseconds, including the
 * readback of taps.
 */
async function timeTappedPrefill(
  decoder: Decoder,
  rows: number,
  tap?: Pick<TapInput, "spec" | "reduction">,
): Promise<number> {
  const cache = decoder.createCache();
  const ids = promptIds(benchIds(rows));
  const textStart = rows - TEXT_ROWS;
  const prompt = { rows, visual: [{ start: 5, end: textStart }], textStart };
  const ms = await timed(decoder, async () => {
    const { heads } = decoder.config;
    const hook = tap && (await TapRecorder.create(decoder.gpu, { ...tap, cache, heads, prompt }));
    await decoder.prefill({ cache, ids, hook });
    await hook?.finish();
  });
  cache.destroy();
  return ms;
}

/** Evenly spaced rows, one list for all heads. */
function evenPlan({ config }: Decoder, rows: number, share: number) {
  const kept = Math.round(rows * share);
  const keep = [Uint32Array.from({ length: kept }, (_, i) => Math.floor(i / share))];
  return { layers: Array.from({ length: config.layers }, () => ({ keep })) };
}

async function timed(decoder: Decoder, work: () => Promise<unknown>): Promise<number> {
  await decoder.gpu.device.queue.onSubmittedWorkDone();
  const started = performance.now();
  await work();
  await decoder.gpu.device.queue.onSubmittedWorkDone();
  return performance.now() - started;
}

function middle(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[times.length >> 1] as number;
}
