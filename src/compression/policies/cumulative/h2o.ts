import { evictedShare, releasedForget, uniformBudget } from "../../blocks/budget";
import { dueToHold, dueToRatio } from "../../blocks/decodeRules";
import { allLayerScores, headScores, meanOf, need } from "../../blocks/score";
import { keepTop, layerCounts, planLayers, planOf, rowsPerLayer } from "../../blocks/select";
import { definePolicy } from "../../definePolicy";
import { choice, formerly, integer, real } from "../../options";
import type { PlanInput } from "../../types";
import { overVisibility } from "./columnScores";
import { officialSelection } from "./elasticSelection";

/**
 * H2O: half of the kept rows are heavy hitters, the rows with most attention from all queries so
 * far; the other half are the newest. Every decoded token evicts the older row with the least
 * attention, per KV head.
 *
 * Score: s_j = Σ_q Ā[q, j] over all queries, Ā the mean over a group's heads, [G, N] per layer; `visible`:
 * s_j / (N - j).
 *
 * https://arxiv.org/abs/2306.14048, release https://github.com/FMInference/H2O: it ranks per query
 * head; here each group of query heads has one ranking. `visible` divides by the number of queries
 * that can see a row (kvpress's observed attention); eviction goes by the sums all the same. `elasticRepo` is the baseline of that name in
 * the Elastic Cache release, which the PrefixKV paper reports as H2O: one ranking averaged over all
 * layers and heads, the same misuse of argsort, one row less than its target, and sums that are not
 * moved with their rows.
 */
export const h2o = definePolicy({
  id: "h2o",
  label: "H2O",
  summary: "Keeps the rows with most attention so far and the newest ones, per head.",
  paper: {
    title: "H2O: Heavy-Hitter Oracle for Efficient Generative Inference of Large Language Models",
    venue: "NeurIPS 2023",
    url: "https://arxiv.org/abs/2306.14048",
  },
  release: "https://github.com/FMInference/H2O",
  options: {
    recentShare: real("Recent share", "Share of the kept rows that are the newest", [0, 1], 0.5),
    scores: choice("Scores", "visible: divided by the queries that can see the row", [
      "sum",
      "visible",
    ]),
    variant: formerly(
      "reading",
      choice("Variant", "elasticRepo: the baseline in the Elastic Cache release", [
        "paper",
        "elasticRepo",
      ]),
    ),
    sinks: integer("Sinks", "Oldest rows that are always kept", [0, 64], 0),
  },
  keepsNewest: 1,
  deviation: ({ variant }) =>
    variant === "elasticRepo"
      ? "One ranking for all layers, one row less than its target, as released."
      : undefined,
  deviantRows: (input, { sinks }) =>
    new Array<number>(input.layers).fill(
      globalSelection(input, new Float64Array(input.candidates.length), sinks).length,
    ),
  taps: () => ({ columnSum: true }),
  plan(input, { recentShare, scores, variant, sinks }) {
    const tap = need(input, "columnSum");
    if (variant === "elasticRepo") {
      const kept = globalSelection(input, globalScores(input), sinks);
      return planOf(input, new Array(input.layers).fill([kept]));
    }
    const counts = layerCounts(input, () => uniformBudget(input.budget, input.layers));
    return planLayers(input, counts, (layer, count) =>
      headScores(input, tap, layer).map((sums) =>
        keepTop(scores === "sum" ? sums : overVisibility(input, sums), count, {
          first: sinks,
          last: Math.floor(recentShare * count),
        }),
      ),
    );
  },
  decode(input, plan, { recentShare, variant, sinks }) {
    const kept = rowsPerLayer(input, plan);
    const lowest = { kind: "lowest", scores: "sum", protectFirst: sinks } as const;
    if (variant === "paper") {
      const protectLast = kept.map((count) => Math.max(1, Math.floor(recentShare * count)));
      return { due: dueToHold(kept), victim: { ...lowest, perHead: true, protectLast } };
    }
    const share = 1 - evictedShare(input.retention);
    const initial = Float64Array.from(globalScores(input));
    if (
      kept[0] === initial.length - 1 &&
      releasedForget(input.candidates.length, input.retention) === 1
    )
      shiftOut(initial, input, sinks);
    return {
      due: dueToRatio(() => share),
      victim: { ...lowest, perHead: false, across: "model", initial, protectLast: 1 },
    };
  },
});

/** One ranking for the whole model: mean over layers and heads. */
export function globalScores(input: PlanInput): Float64Array {
  return meanOf(allLayerScores(input, need(input, "columnSum")));
}

/**
 * The release protects no sink here; if one row is due, it drops the row with the least attention
 * after the sinks.
 */
function globalSelection(input: PlanInput, scores: Float64Array, sinks: number): Uint32Array {
  const forget = releasedForget(input.candidates.length, input.retention);
  if (forget !== 1) return officialSelection(scores, forget, { sinks: 0, recent: 1 }).kept;
  const lightest = lightestPlace(scores, sinks);
  return Uint32Array.from(scores.keys()).filter((place) => place !== lightest);
}

function lightestPlace(scores: Float64Array, sinks: number): number {
  let best = Math.min(sinks, scores.length - 1);
  for (let place = best; place < scores.length - 1; place++) {
    if (scores[place]! < scores[best]!) best = place;
  }
  return best;
}

/** After a single eviction the release moves its sums. */
function shiftOut(sums: Float64Array, input: PlanInput, sinks: number): void {
  const lightest = lightestPlace(globalScores(input), sinks);
  sums.copyWithin(lightest, lightest + 1);
  sums[sums.length - 1] = 0;
}
