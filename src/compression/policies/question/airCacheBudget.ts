import { roundHalfEven, uniformBudget, waterfill } from "../../blocks/budget";
import { pyramidShares } from "../../blocks/pyramidBudget";
import { candidateScores, mean, need, skewness } from "../../blocks/score";
import type { PlanInput } from "../../types";

/** AirCache's layer budgets: layers with strong and skewed scores keep more. */

/** Steepness of the ablation's pyramid, as in PyramidKV. */
const PYRAMID_BETA = 20;

interface AirCacheBudget {
  readonly strength: readonly number[];
  readonly skew: readonly number[];
  /** Both scaled to mean 1. */
  readonly strengthNorm: readonly number[];
  readonly skewNorm: readonly number[];
  /** Share of the rows before the question that each layer would keep. */
  readonly shares: readonly number[];
  readonly plain: readonly number[];
  readonly waterfill: readonly number[];
}

/** Layer measures and both roundings; counts include the question if it is a candidate. */
export function airCacheBudget(
  input: PlanInput,
  kind: "both" | "strength" | "skewness" | "uniform" | "pyramid",
): AirCacheBudget {
  const { importance } = need(input, "elite");
  const { layers, budget } = input;
  const question = questionPlaces(input);
  const voted = input.candidates.length - question;
  const measure = (of: (votes: Float64Array) => number) =>
    Array.from({ length: layers }, (_, layer) =>
      mean(
        Array.from({ length: importance.heads }, (_, head) =>
          of(candidateScores(input, importance, layer, head).subarray(0, voted)),
        ),
      ),
    );
  const strength = measure((votes) => votes.reduce((a, b) => a + b, 0));
  const skew = measure(skewness);
  const strengthNorm = toMeanOne(strength);
  const skewNorm = toMeanOne(skew.map((value) => Math.max(0, value)));
  const weights = {
    both: () => strengthNorm.map((value, layer) => (value + skewNorm[layer]!) / 2),
    strength: () => strengthNorm,
    skewness: () => skewNorm,
    uniform: () => strength.map(() => 1),
    pyramid: () => pyramidShares(layers, 1, PYRAMID_BETA, Number.POSITIVE_INFINITY),
  }[kind]();
  const own = Math.min(question, Math.max(0, Math.floor(budget / layers) - 1));
  const rest = budget - own * layers;
  const exact =
    voted > 0
      ? waterfill(weights, rest, { floor: 1, cap: input.candidates.length - own }).map(
          (rows) => rows + own,
        )
      : uniformBudget(budget, layers);
  const share = voted > 0 ? (own === 0 ? input.retention : rest / (voted * layers)) : 0;
  const shares = weights.map((weight) => weight * share);
  const plain = shares.map(
    (value) => own + Math.max(Math.min(1, voted), Math.min(voted, roundHalfEven(value * voted))),
  );
  return { strength, skew, strengthNorm, skewNorm, shares, plain, waterfill: exact };
}

/** Candidates from the question on: they score the others and are always kept. */
export function questionPlaces({ candidates, textStart, rows }: PlanInput): number {
  const first = Math.min(textStart, rows - 1);
  return candidates.filter((row) => row >= first && textStart < rows).length;
}

function toMeanOne(values: readonly number[]): number[] {
  const total = values.reduce((a, b) => a + b, 0);
  return values.map((value) => (total > 0 ? (values.length * value) / total : 1));
}
