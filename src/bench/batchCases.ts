import { GREEDY } from "@/gpu/kernels/sampling/sample";
import { BatchSteps, type Sequence } from "@/model/decoder/batchSteps";
import type { Decoder } from "@/model/decoder/decoder";
import { SUBMITS_IN_FLIGHT } from "@/model/decoder/tokenReadback";
import type { PassTimes } from "./passTimes";
import { filledCache } from "./stepCases";

const WARM_UP = 2;

interface BatchTimes {
  readonly rows: number;
  readonly sequences: number;
  /** Milliseconds of a step, in which every sequence decodes one token. */
  readonly wallMs: readonly number[];
  /** GPU milliseconds of all these steps together, divided by their number; undefined without timestamps. */
  readonly gpuMs: number | undefined;
}

/** Greedy steps of several sequences together, each with a cache of `rows`. */
export async function timeBatch(
  decoder: Decoder,
  { rows, count, steps }: Readonly<Record<"rows" | "count" | "steps", number>>,
  times: PassTimes | undefined,
): Promise<BatchTimes> {
  const { logits } = decoder.activations;
  const maxNewTokens = 2 * steps + WARM_UP;
  const sequences: Sequence[] = [];
  for (let i = 0; i < count; i++) {
    const cache = await filledCache(decoder, rows);
    sequences.push({ cache, sampling: GREEDY, maxNewTokens, logits });
  }
  const batch = new BatchSteps(decoder, sequences);
  const take = async (many: number) => {
    const ms: number[] = [];
    const flying: Promise<unknown>[] = [];
    let submitted = 0;
    let last = performance.now();
    while (ms.length < many) {
      for (; flying.length < SUBMITS_IN_FLIGHT && submitted < many; submitted++) {
        flying.push(batch.submit());
      }
      await flying.shift();
      ms.push(performance.now() - last);
      last = performance.now();
    }
    return ms;
  };
  try {
    await take(WARM_UP);
    const wallMs = await take(steps);
    const passes = await times?.run("pass", () => take(steps));
    const gpuMs = passes?.reduce((sum, { us }) => sum + us / 1000 / steps, 0);
    return { rows, sequences: count, wallMs, gpuMs };
  } finally {
    batch.destroy();
    for (const { cache } of sequences) cache.destroy();
  }
}
