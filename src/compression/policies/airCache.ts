import { pyramidShares, roundHalfEven, uniformBudget, waterfill } from "../budget";
import { definePolicy } from "../definePolicy";
import { choice, real } from "../options";
import { candidateScores, mean, need, skewness } from "../score";
import { layerCounts, planOf, range, topPlaces } from "../select";
import type { PlanInput } from "../types";

/** Steepness of the ablation's pyramid, as in PyramidKV. */
const PYRAMID_BETA = 20;

/**
 * AirCache: a few text tokens that the question itself attends to, the elite, vote on the visual
 * rows; layers whose votes are strong and skewed get more rows.
 *
 * https://arxiv.org/abs/2503.23956, no release. Where the paper is silent: text is what follows the
 * last image, heads are averaged, both layer measures are scaled to mean 1 with negative skewness
 * cut to 0, and rows are rounded by water-filling to the exact total (`plain` rounds each layer by
 * itself). In scope `prompt` the elite votes on all rows before the question, which is kept.
 */
export const airCache = definePolicy({
  id: "aircache",
  label: "AirCache",
  summary: "A few elite words of the question vote on the image; focused layers keep more.",
  paper: {
    title:
      "AirCache: Activating Inter-modal Relevancy KV Cache Compression for Efficient Large Vision-Language Model Inference",
    venue: "ICCV 2025",
    url: "https://arxiv.org/abs/2503.23956",
  },
  options: {
    alpha: real("α", "Elite words reach this share of the strongest attention", [0, 1], 0.9),
    window: choice("Window", "Which words vote", ["elite", "allText", "last16", "last32"]),
    heads: choice("Heads", "perKvHead: every KV head has its own elite and its own rows", [
      "mean",
      "perKvHead",
    ]),
    budget: choice("Layer budgets", "What decides how many rows a layer keeps", [
      "both",
      "strength",
      "skewness",
      "uniform",
      "pyramid",
    ]),
    rounding: choice("Rounding", "plain: each layer by itself, so that the total drifts", [
      "waterfill",
      "plain",
    ]),
  },
  deviation: ({ rounding }) =>
    rounding === "plain" ? "Rounds each layer by itself, so that the total drifts." : undefined,
  deviantRows: (input, { budget }) => airCacheBudget(input, budget).plain,
  taps: ({ alpha, window, heads }) => ({
    elite: { window, alpha, perKvHead: heads === "perKvHead" },
  }),
  plan(input, { budget, rounding }) {
    const settled = airCacheBudget(input, budget);
    const counts =
      rounding === "plain" ? settled.plain : layerCounts(input, () => settled.waterfill);
    const { importance } = need(input.taps.elite, "elite");
    const places = input.candidates.length;
    const question = questionPlaces(input);
    const keep = counts.map((count, layer) => {
      const kept = Math.min(question, Math.max(0, count - 1));
      return Array.from({ length: importance.heads }, (_, head) => {
        const votes = candidateScores(input, importance, layer, head);
        return Uint32Array.from([
          ...topPlaces(votes.subarray(0, places - question), count - kept),
          ...range(places - kept, places),
        ]);
      });
    });
    const { strength, skew } = settled;
    return planOf(input, keep, undefined, { strength, skewness: skew });
  },
});

export interface AirCacheBudget {
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

/** Layer measures and both roundings; counts include the question where it is a candidate. */
export function airCacheBudget(
  input: PlanInput,
  kind: "both" | "strength" | "skewness" | "uniform" | "pyramid",
): AirCacheBudget {
  const { importance } = need(input.taps.elite, "elite");
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

/** Candidates from the question on: they vote, so they stay. */
function questionPlaces({ candidates, textStart, rows }: PlanInput): number {
  const first = Math.min(textStart, rows - 1);
  return candidates.filter((row) => row >= first && textStart < rows).length;
}

function toMeanOne(values: readonly number[]): number[] {
  const total = values.reduce((a, b) => a + b, 0);
  return values.map((value) => (total > 0 ? (values.length * value) / total : 1));
}
