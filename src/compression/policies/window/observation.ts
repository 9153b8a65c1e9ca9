import { averagePool, headScores, maxPool, mean, need } from "../../blocks/score";
import { keepTop, type Ranking } from "../../blocks/select";
import { choice, integer, oddInteger } from "../../options";
import { observationRows } from "../../taps/prompt";
import type { TapSpec } from "../../taps/registry";
import type { PlanInput, PlanNotice } from "../../types";

/**
 * SnapKV's observation window, shared with the policies that build on its scores: the rows before the window are scored by the
 * attention of the prompt's last queries, per KV head, pooled over neighbouring rows. The window
 * itself is kept.
 */

export const OBSERVATION_OPTIONS = {
  window: integer(
    "Window",
    "Last queries of the prompt that score the rows; at most the text after the image",
    [1, 512],
    32,
  ),
  kernel: oddInteger("Kernel", "Neighbouring rows that are pooled; odd", [1, 63], 5),
  pooling: choice("Pooling", "How neighbouring scores are pooled", ["avg", "max"]),
};

export interface ObservationValues {
  readonly window: number;
  readonly kernel: number;
  readonly pooling: "avg" | "max";
}

/** Attention of the last `window` rows, [layers, kvHeads, rows]. */
export function observationTap(
  { window, kernel }: ObservationValues,
  aggregate: "mean" | "max" | "defensive" = "mean",
): TapSpec {
  return { window: { rows: window, aggregate, kernel } };
}

/** Candidates inside the observation window: the newest places, always kept. */
export function windowPlaces(input: PlanInput, { window }: ObservationValues): number {
  const first = input.rows - observationRows(input, window);
  return input.candidates.filter((row) => row >= first).length;
}

/** A notice if the window is longer than the text after the image or than a layer's rows. */
export function windowNotices(input: PlanInput, options: ObservationValues): PlanNotice[] {
  const asked = options.window;
  const used = observationRows(input, asked);
  const rows = Math.floor(input.budget / input.layers);
  return [
    ...(used < asked ? [{ code: "shorterWindow" as const, asked, used }] : []),
    ...(windowPlaces(input, options) > rows ? [{ code: "windowOnly" as const, rows }] : []),
  ];
}

/** The window's votes on the places before it, per KV head. */
export function votesBeforeWindow(
  input: PlanInput,
  layer: number,
  options: ObservationValues,
): Float64Array[] {
  const before = input.candidates.length - windowPlaces(input, options);
  const votes = headScores(input, need(input, "window"), layer);
  return votes.map((scores) => scores.subarray(0, before));
}

/** The same, pooled over neighbours. */
export function observedScores(
  input: PlanInput,
  layer: number,
  options: ObservationValues,
): Float64Array[] {
  return votesBeforeWindow(input, layer, options).map((votes) => pool(votes, options));
}

/** Scores pooled over `kernel` neighbours, as many as before. */
export function pool(
  scores: Float64Array,
  { kernel, pooling }: Pick<ObservationValues, "kernel" | "pooling">,
): Float64Array {
  return pooling === "avg" ? averagePool(scores, kernel) : maxPool(scores, kernel);
}

/** DefensiveKV: scores are floored at the head's mean; the resulting ties go to the older row. */
export function floorAtMean(scores: Float64Array): Float64Array {
  const floor = mean(scores);
  return scores.map((score) => Math.max(score, floor));
}

/**
 * The window and the highest-scoring places before it; if the window is too long, its newest rows.
 */
export function keepObserved(scores: Float64Array, window: number, count: number): Ranking {
  return keepTop(scores, count, { first: 0, last: window }, scores.length + window);
}
