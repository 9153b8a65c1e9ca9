import { waterfill } from "../../blocks/budget";
import { layerScores, need } from "../../blocks/score";
import { integer, real } from "../../options";
import { scorePolicy } from "../../scorePolicy";

/**
 * FlashCache: keeps the rows whose keys and values differ most from a low-pass filter over all
 * rows. Layers with more high-frequency energy keep more. Needs no attention.
 *
 * Score: MSE(K_j, low-pass) + MSE(V_j, low-pass), mean over KV heads, [1, N] per layer. Budget: by the share
 * of energy that the low-pass removes, of K plus of V.
 *
 * https://arxiv.org/abs/2511.16786, no release. The filter keeps the lowest γN coefficients of a
 * discrete cosine transform along the prompt. Not specified by the paper, chosen here: deviations
 * are averaged over KV heads, so that a layer has one list; rows are rounded to the exact total; no
 * row is protected by default.
 */
export const flashCache = scorePolicy({
  id: "flashcache",
  label: "FlashCache",
  summary: "Keeps keys and values that differ most from their low-pass filter; needs no attention.",
  paper: {
    title:
      "Revisiting Multimodal KV Cache Compression: A Frequency-Domain-Guided Outlier-KV-Aware Approach",
    venue: "CVPR 2026",
    url: "https://arxiv.org/abs/2511.16786",
  },
  options: {
    gamma: real("γ", "Share of the frequencies that the low-pass filter keeps", [0.01, 1], 0.1),
    recent: integer("Recents", "Newest rows that are always kept", [0, 64], 0),
  },
  taps: ({ gamma }) => ({ spectral: { gamma } }),
  budget(input) {
    const { highShare } = need(input, "spectral");
    return waterfill([...highShare], input.budget, { floor: 1, cap: input.candidates.length });
  },
  score: (input, layer) => [layerScores(input, need(input, "spectral").deviation, layer)],
});
