import { headScores, mean, minMax, need } from "../../blocks/score";
import { scorePolicy } from "../../scorePolicy";
import { OBSERVATION_OPTIONS, observationTap, observedScores, windowNotices } from "./observation";

/**
 * MixKV on SnapKV's scores: heads with redundant keys rank by diversity, the others by importance.
 *
 * Score: (1 - r)(s_j + ‖V_j‖) + r · (-cos(K_j, mean unit key)), both terms scaled to s, [G, N - window] per
 * layer; r = (N ‖mean unit key‖² - 1) / (N - 1), the mean cosine between different keys.
 *
 * https://arxiv.org/abs/2510.20707, release https://github.com/xuyang-liu16/MixKV. Importance is
 * the vote plus the value norm, diversity the distance of a key from the mean key, both scaled to
 * the votes' range. The weight is the head's redundancy, the mean cosine between its keys. The
 * release reads this weight from a table computed offline, although the paper found the prompt's
 * own weight better; here it is computed from the prompt.
 */
export const mixKv = scorePolicy({
  id: "mixkv",
  label: "MixKV",
  summary: "Combines importance and diversity of keys, weighted by each head's redundancy.",
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
  score(input, layer, options) {
    const { valueNorm, keyCosine, meanKeyNorm2 } = need(input, "keyStats");
    const norms = headScores(input, valueNorm, layer);
    const cosines = headScores(input, keyCosine, layer);
    return observedScores(input, layer, options).map((votes, head) => {
      const redundancy = meanCosine(meanKeyNorm2[layer * valueNorm.heads + head]!, input.rows);
      const value = atScaleOf(votes, norms[head]!.subarray(0, votes.length));
      const apart = cosines[head]!.subarray(0, votes.length).map((cosine) => -cosine);
      const diverse = atScaleOf(votes, apart);
      return votes.map(
        (vote, i) => (1 - redundancy) * (vote + value[i]!) + redundancy * diverse[i]!,
      );
    });
  },
});

/** Mean cosine between different keys, from the squared norm of the mean unit key. */
function meanCosine(meanNorm2: number, rows: number): number {
  return rows > 1 ? (rows * meanNorm2 - 1) / (rows - 1) : 0;
}

/** Scales `values` to [0, 1], then to the mean of `votes`. */
function atScaleOf(votes: Float64Array, values: Float64Array): Float64Array {
  const scaled = minMax(values);
  const factor = mean(votes) / (mean(scaled) || 1);
  return scaled.map((value) => value * factor);
}
