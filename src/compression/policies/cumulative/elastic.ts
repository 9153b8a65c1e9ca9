import { evictedShare, releasedForget, uniformBudget } from "../../blocks/budget";
import { dueToRatio, fixedPointRule } from "../../blocks/decodeRules";
import { assignMerge } from "../../blocks/merge";
import { keepTop, layerCounts, planOf, rowsPerLayer } from "../../blocks/select";
import { definePolicy } from "../../definePolicy";
import { choice, integer } from "../../options";
import { columnScores, SCORE_OPTIONS, scoreTap } from "./columnScores";
import { buckets, officialSelection } from "./elasticSelection";

/**
 * Elastic Cache: the rows with most attention become anchors, and every other row is merged into
 * the nearest anchor. While decoding, the row at a fixed place is evicted.
 *
 * Score: s_j = mean over heads of Σ_q A[q, j], [1, N] per layer; anchors are the highest. Merge: K and V of
 * an anchor become the mean with all rows whose nearest anchor it is (Eq. 1–3). Eviction: place n - f +
 * `distance` of a prompt of n rows that forgot f.
 *
 * https://arxiv.org/abs/2407.18121, release https://github.com/liuzuyan/ElasticCache. The release
 * has four defects. It uses the permutation of an argsort as ranks, so it keeps the positions whose
 * *entry* is large. It does not add the sinks' offset to the dropped positions, so sinks and
 * anchors are merged into other rows as well. It keeps one row less than its target. If exactly one
 * row is due, it drops the first sink.
 */
export const elastic = definePolicy({
  id: "elastic",
  label: "Elastic Cache",
  summary: "Keeps the most attended rows and merges the others into them.",
  paper: {
    title: "Efficient Inference of Vision Instruction-Following Models with Elastic Cache",
    venue: "ECCV 2024",
    url: "https://arxiv.org/abs/2407.18121",
  },
  release: "https://github.com/liuzuyan/ElasticCache",
  options: {
    selection: choice(
      "Selection",
      "official: the release's argsort, one row less than the target",
      ["paper", "official"],
    ),
    ...SCORE_OPTIONS,
    merge: choice("Dropped rows", "Merge them into the nearest kept row, or drop them", [
      "merge",
      "drop",
    ]),
    sinks: integer("Sinks", "Oldest rows that are always kept", [0, 64], 1),
    recent: integer("Recents", "Newest rows that are always kept", [1, 64], 1),
    distance: integer(
      "Eviction place",
      "Above 0: the slot that is evicted while decoding; otherwise counted from the compressed prompt's end",
      [-4096, 4096],
      -25,
    ),
    shortPrompt: choice("Short prompt", "What to do if that place is outside of the cache", [
      "clamp",
      "fail",
    ]),
  },
  deviation: ({ selection }) =>
    selection === "official" ? "Keeps one row less than its target, as released." : undefined,
  deviantRows: (input, { sinks, recent }) => {
    const rows = input.candidates.length;
    const forget = releasedForget(input.candidates.length, input.retention);
    const kept = officialSelection(new Float64Array(rows), forget, { sinks, recent }).kept.length;
    return new Array<number>(input.layers).fill(kept);
  },
  taps: scoreTap,
  plan(input, options) {
    const folds = options.merge === "merge";
    if (options.selection === "official") {
      const forget = releasedForget(input.candidates.length, input.retention);
      const chosen = Array.from({ length: input.layers }, (_, layer) =>
        officialSelection(columnScores(input, layer, options), forget, options),
      );
      return planOf(
        input,
        chosen.map(({ kept }) => [kept]),
        (layer) => (folds ? assignMerge(input, chosen[layer]!.into, "mean") : undefined),
      );
    }
    const counts = layerCounts(input, () => uniformBudget(input.budget, input.layers));
    const kept = counts.map((count, layer) =>
      keepTop(columnScores(input, layer, options), count, {
        first: options.sinks,
        last: options.recent,
      }),
    );
    return planOf(
      input,
      kept.map((ranking) => [ranking]),
      (layer) =>
        folds
          ? assignMerge(input, buckets(input, kept[layer]!.places, options), "mean")
          : undefined,
    );
  },
  decode(input, plan, { selection, sinks, distance, shortPrompt }) {
    const rows = input.candidates.length;
    const kept = rowsPerLayer(input, plan);
    const forgotten = (layer: number) =>
      selection === "official"
        ? releasedForget(input.candidates.length, input.retention)
        : rows - kept[layer]!;
    const place = (layer: number) => {
      const forget = forgotten(layer);
      if (selection === "official" && forget <= 1) return 0;
      return distance > 0 ? distance : rows - forget + distance;
    };
    const share = 1 - evictedShare(input.retention);
    return fixedPointRule(
      dueToRatio(() => share),
      place,
      { sinks, shortPrompt },
    );
  },
});
