import type { Taps } from "../taps/registry";
import type { RowScores } from "../taps/tap";
import type { PlanInput } from "../types";

/**
 * Turns taps into one score per candidate. A *place* is an index into the candidates C. Policies
 * rank, pool and sum over places only, so this file alone handles scope.
 */

/** One head's scores of the candidates, as doubles. */
export function candidateScores(
  input: PlanInput,
  tap: RowScores,
  layer: number,
  head: number,
): Float64Array {
  const at = (layer * tap.heads + head) * tap.rows;
  const scores = new Float64Array(input.candidates.length);
  for (let place = 0; place < scores.length; place++) {
    scores[place] = tap.data[at + input.candidates[place]!]!;
  }
  return scores;
}

/** Scores of the candidates per KV head; one list if the tap is already averaged over heads. */
export function headScores(input: PlanInput, tap: RowScores, layer: number): Float64Array[] {
  return Array.from({ length: tap.heads }, (_, head) => candidateScores(input, tap, layer, head));
}

/** Scores of the candidates, mean over heads. */
export function layerScores(input: PlanInput, tap: RowScores, layer: number): Float64Array {
  return meanOf(headScores(input, tap, layer));
}

/** Scores of the candidates for every layer, mean over heads. */
export function allLayerScores(input: PlanInput, tap: RowScores): Float64Array[] {
  return Array.from({ length: input.layers }, (_, layer) => layerScores(input, tap, layer));
}

/** A tap that the policy requested. A missing tap is a defect of the engine. */
export function need<N extends keyof Taps>({ taps }: PlanInput, name: N): NonNullable<Taps[N]> {
  const tap = taps[name];
  if (tap === undefined) throw new Error(`the prefill did not record the tap ${name}`);
  return tap;
}

/** Mean of lists of equal length, place by place. */
export function meanOf(lists: readonly Float64Array[]): Float64Array {
  const out = new Float64Array(lists[0]!.length);
  for (const list of lists) {
    for (let i = 0; i < out.length; i++) out[i]! += list[i]! / lists.length;
  }
  return out;
}

/**
 * Average pooling with stride 1, zero padding and divisor `kernel` also at the ends, like
 * `avg_pool1d`.
 */
export function averagePool(scores: Float64Array, kernel: number): Float64Array {
  const half = Math.floor(kernel / 2);
  return scores.map((_, place) => {
    let sum = 0;
    const end = Math.min(scores.length, place - half + kernel);
    for (let i = Math.max(0, place - half); i < end; i++) sum += scores[i]!;
    return sum / kernel;
  });
}

/** Largest score among the `kernel` neighbours. */
export function maxPool(scores: Float64Array, kernel: number): Float64Array {
  const half = Math.floor(kernel / 2);
  return scores.map((_, place) => {
    let max = Number.NEGATIVE_INFINITY;
    const end = Math.min(scores.length, place - half + kernel);
    for (let i = Math.max(0, place - half); i < end; i++) max = Math.max(max, scores[i]!);
    return max;
  });
}

/** 0 without values. */
export function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return values.length > 0 ? sum / values.length : 0;
}

/** Standard deviation of a population (`ddof` 0) or a sample (`ddof` 1). */
export function deviation(values: ArrayLike<number>, ddof: 0 | 1): number {
  if (values.length <= ddof) return 0;
  const center = mean(values);
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += (values[i]! - center) ** 2;
  return Math.sqrt(sum / (values.length - ddof));
}

/** Adjusted Fisher–Pearson skewness; 0 for fewer than three values or values that are all equal. */
export function skewness(values: Float64Array): number {
  const n = values.length;
  const spread = deviation(values, 1);
  if (n < 3 || spread === 0) return 0;
  const center = mean(values);
  const cubes = values.reduce((sum, value) => sum + ((value - center) / spread) ** 3, 0);
  return (n / ((n - 1) * (n - 2))) * cubes;
}

/** Scales the values to [0, 1]; equal values become 0. */
export function minMax(values: Float64Array): Float64Array {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return values.map((value) => (high > low ? (value - low) / (high - low) : 0));
}
