import { uniformBudget } from "../../blocks/budget";
import { layerCounts, planLayers, topPlaces } from "../../blocks/select";
import { definePolicy } from "../../definePolicy";
import { real } from "../../options";
import {
  keepObserved,
  OBSERVATION_OPTIONS,
  observationTap,
  observedScores,
  windowNotices,
  windowPlaces,
} from "./observation";

/**
 * AdaKV on SnapKV's scores: the rows of a layer are distributed over its KV heads by score.
 *
 * Score: s_j = pool(mean over window rows q of Ā[q, j]), [G, N - window] per layer. A head keeps
 * ⌊floor · count⌋ rows and those of its rows that are among the layer's best G · (count - ⌊floor · count⌋).
 *
 * https://arxiv.org/abs/2407.11550, release https://github.com/FFY0/AdaKV: heads with spread-out
 * attention keep more rows, and every head keeps at least a share of the mean. As in kvpress, a
 * layer keeps exactly G times its count; heads keep different numbers of rows, and the cache
 * shrinks accordingly.
 */
export const adaKv = definePolicy({
  id: "adakv",
  label: "AdaKV",
  summary: "SnapKV's scores, with each layer's rows distributed over its heads.",
  paper: {
    title: "Ada-KV: Optimizing KV Cache Eviction by Adaptive Budget Allocation",
    venue: "NeurIPS 2025",
    url: "https://arxiv.org/abs/2407.11550",
  },
  release: "https://github.com/FFY0/AdaKV",
  options: {
    ...OBSERVATION_OPTIONS,
    floor: real("Floor", "Share of the mean count that every head keeps at least", [0, 1], 0.2),
  },
  taps: (options) => observationTap(options),
  notices: windowNotices,
  plan(input, options) {
    const window = windowPlaces(input, options);
    const counts = layerCounts(input, () => uniformBudget(input.budget, input.layers));
    return planLayers(input, counts, (layer, count) => {
      const scores = observedScores(input, layer, options);
      const recent = Math.min(window, count);
      const shares = shareOut(scores, count - recent, options.floor);
      return scores.map((head, i) => keepObserved(head, window, recent + shares[i]!));
    });
  },
});

/**
 * `count` rows per head on average: each head's highest scores up to the floor, then the highest of
 * all heads.
 */
function shareOut(scores: readonly Float64Array[], count: number, floor: number): number[] {
  const sure = Math.trunc(count * floor);
  const places = scores[0]!.length - sure;
  const rest = new Float64Array(places * scores.length);
  scores.forEach((head, index) => {
    rest.set(head.toSorted().reverse().subarray(sure), index * places);
  });
  const shares = scores.map(() => sure);
  for (const entry of topPlaces(rest, (count - sure) * scores.length)) {
    shares[Math.floor(entry / places)]! += 1;
  }
  return shares;
}
