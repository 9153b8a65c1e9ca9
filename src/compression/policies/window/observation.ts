import { averagePool, headScores, maxPool, mean, need, observationRows } from "../../blocks/score";
import { type Ranking, range, topPlaces } from "../../blocks/select";
import { choice, integer } from "../../options";
import { type PlanInput, PolicyError, type TapSpec } from "../../types";

/**
 * SnapKV's observation window, which six policies share: the last queries of the prompt vote on
 * the rows before them, per KV head, smoothed over neighbours; the window itself is kept.
 */

export const OBSERVATION_OPTIONS = {
  window: integer(
    "Window",
    "Last queries of the prompt that vote; at most the text after the image",
    [1, 512],
    32,
  ),
  kernel: integer("Kernel", "Neighbouring rows that share a score; odd", [1, 63], 5),
  pooling: choice("Pooling", "How neighbours share their scores", ["avg", "max"]),
};

export interface ObservationValues {
  readonly window: number;
  readonly kernel: number;
  readonly pooling: "avg" | "max";
}

export function observationTap(
  { window, kernel }: ObservationValues,
  aggregate: "mean" | "max" | "defensive" = "mean",
): TapSpec {
  return { window: { rows: window, aggregate, kernel: oddKernel(kernel) } };
}

/** Pooling needs a middle. */
export function oddKernel(kernel: number): number {
  if (kernel % 2 === 1) return kernel;
  throw new PolicyError(`kernel must be odd, not ${kernel}.`);
}

/** Candidates inside the observation window: the newest places, always kept. */
export function windowPlaces(input: PlanInput, { window }: ObservationValues): number {
  const first = input.rows - observationRows(input, window);
  return input.candidates.filter((row) => row >= first).length;
}

/** Said where the window is longer than the text after the image, or than a layer's rows. */
export function windowNotices(input: PlanInput, options: ObservationValues): string[] {
  const asked = options.window;
  const rows = observationRows(input, asked);
  const most = Math.floor(input.budget / input.layers);
  return [
    ...(rows < asked
      ? [`The window of ${asked} queries is longer than the text: the last ${rows} vote.`]
      : []),
    ...(windowPlaces(input, options) > most
      ? [`The window alone has more than ${most} rows: its newest stay.`]
      : []),
  ];
}

/** Pooled votes on the places before the window, per KV head. */
export function observedScores(
  input: PlanInput,
  layer: number,
  options: ObservationValues,
): Float64Array[] {
  const before = input.candidates.length - windowPlaces(input, options);
  return headScores(input, need(input.taps.window, "window"), layer).map((scores) =>
    pool(scores.subarray(0, before), options),
  );
}

export function pool(
  scores: Float64Array,
  { kernel, pooling }: Pick<ObservationValues, "kernel" | "pooling">,
): Float64Array {
  return pooling === "avg" ? averagePool(scores, kernel) : maxPool(scores, kernel);
}

/** DefensiveKV: no score falls below the head's mean, so that ties go to the older row. */
export function floorAtMean(scores: Float64Array): Float64Array {
  const floor = mean(scores);
  return scores.map((score) => Math.max(score, floor));
}

/** The window and the best places before it; of a window that is too long, the newest. */
export function keepObserved(scores: Float64Array, window: number, count: number): Ranking {
  const all = scores.length + window;
  const recent = Math.min(window, count);
  const best = topPlaces(scores, count - recent);
  return { places: Uint32Array.from([...best, ...range(all - recent, all)]), scores };
}
