import { uniformBudget } from "../../blocks/budget";
import { headScores, mean, minMax, need } from "../../blocks/score";
import { layerCounts, planLayers } from "../../blocks/select";
import { definePolicy } from "../../definePolicy";
import {
  keepObserved,
  OBSERVATION_OPTIONS,
  observationTap,
  observedScores,
  windowNotices,
  windowPlaces,
} from "./observation";

/**
 * MixKV on SnapKV's scores: heads whose keys repeat themselves are chosen for diversity, the
 * others for importance.
 *
 * https://arxiv.org/abs/2510.20707, release https://github.com/xuyang-liu16/MixKV. Importance is the
 * vote plus the value norm, diversity the distance of a key from the mean key, both moved to the
 * votes' scale; the weight is the head's redundancy, the mean cosine between its keys. The release
 * reads that weight from a table made offline, although the paper found this prompt's own better;
 * here it is this prompt's.
 */
export const mixKv = definePolicy({
  id: "mixkv",
  label: "MixKV",
  summary: "Mixes importance with the diversity of keys, by each head's redundancy.",
  paper: {
    title:
      "Mixing Importance with Diversity: Joint Optimization for KV Cache Compression in Large Vision-Language Models",
    venue: "ICLR 2026",
    url: "https://arxiv.org/abs/2510.20707",
  },
  release: "https://github.com/xuyang-liu16/MixKV",
  options: OBSERVATION_OPTIONS,
  taps: (options) => ({ ...observationTap(options), keyStats: true }),
  notices: windowNotices,
  plan(input, options) {
    const { valueNorm, keyCosine, meanKeyNorm2 } = need(input.taps.keyStats, "keyStats");
    const window = windowPlaces(input, options);
    const before = input.candidates.length - window;
    const counts = layerCounts(input, () => uniformBudget(input.budget, input.layers));
    return planLayers(input, counts, (layer, count) => {
      const norms = headScores(input, valueNorm, layer);
      const cosines = headScores(input, keyCosine, layer);
      return observedScores(input, layer, options).map((votes, head) => {
        const redundancy = meanCosine(meanKeyNorm2[layer * valueNorm.heads + head]!, input.rows);
        const value = atScaleOf(votes, norms[head]!.subarray(0, before));
        const apart = cosines[head]!.subarray(0, before).map((cosine) => -cosine);
        const diverse = atScaleOf(votes, apart);
        const mixed = votes.map(
          (vote, i) => (1 - redundancy) * (vote + value[i]!) + redundancy * diverse[i]!,
        );
        return keepObserved(mixed, window, count);
      });
    });
  },
});

/** Mean cosine between different keys, from the squared norm of the mean unit key. */
function meanCosine(meanNorm2: number, rows: number): number {
  return rows > 1 ? (rows * meanNorm2 - 1) / (rows - 1) : 0;
}

/** `values` moved to [0, 1], then to the mean of `votes`. */
function atScaleOf(votes: Float64Array, values: Float64Array): Float64Array {
  const scaled = minMax(values);
  const factor = mean(votes) / (mean(scaled) || 1);
  return scaled.map((value) => value * factor);
}
