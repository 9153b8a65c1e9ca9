import { layerScores, need } from "../../blocks/score";
import { choice, real } from "../../options";
import type { TapSpec } from "../../taps/registry";
import type { PlanInput } from "../../types";

/** Attention received over the whole prompt, reduced over queries in one of three ways. */
export const SCORE_OPTIONS = {
  scores: choice(
    "Scores",
    "Attention received from all queries: its sum, its mean over the queries that see the row, or its moving average",
    ["sum", "mean", "movingAverage"],
  ),
  decay: real("Decay", "Decay of the moving average per query", [0, 0.999], 0.9),
};

interface ScoreValues {
  readonly scores: "sum" | "mean" | "movingAverage";
  readonly decay: number;
}

/** The tap that `columnScores` reads. */
export function scoreTap({ scores, decay }: ScoreValues): TapSpec {
  return scores === "movingAverage" ? { movingAverage: { decay } } : { columnSum: true };
}

/** Head-mean scores of the candidates. */
export function columnScores(input: PlanInput, layer: number, { scores }: ScoreValues) {
  if (scores === "movingAverage") {
    return layerScores(input, need(input, "movingAverage"), layer);
  }
  const sums = layerScores(input, need(input, "columnSum"), layer);
  return scores === "sum" ? sums : overVisibility(input, sums);
}

/** Sums divided by the number of queries that can see the row: N - j. */
export function overVisibility(input: PlanInput, sums: Float64Array): Float64Array {
  return sums.map((sum, place) => sum / (input.rows - input.candidates[place]!));
}
