import { candidateScores, need } from "../../blocks/score";
import { layerCounts, planOf, range, topPlaces } from "../../blocks/select";
import { definePolicy } from "../../definePolicy";
import { choice, real } from "../../options";
import { airCacheBudget, questionPlaces } from "./airCacheBudget";

/**
 * AirCache: ranks the visual rows by the attention from a few text tokens, the elite, that the
 * question's last token attends to most. Layers with strong and skewed scores get more rows.
 *
 * Score: I_j = mean over elite rows q in E and heads of A[q, j] / Σ_k A[q, k], k over the scored rows and
 * the elite rows up to q, [1, N] per layer ([G, N] with `perKvHead`). E: text rows with at least α of the
 * last row's largest attention to text. Budget: ½ (strength + skewness), strength = Σ_j I_j.
 *
 * https://arxiv.org/abs/2503.23956, no release. Not specified by the paper, chosen here: the text
 * is the rows after the last image; heads are averaged; both layer measures are scaled to mean 1,
 * with negative skewness set to 0; rows are rounded to the exact total (`plain` rounds each layer
 * separately). In scope `prompt` the elite scores all rows before the question, and the question is
 * kept.
 */
export const airCache = definePolicy({
  id: "aircache",
  label: "AirCache",
  summary:
    "A few elite tokens of the question rank the image; layers with concentrated attention keep more.",
  paper: {
    title:
      "AirCache: Activating Inter-modal Relevancy KV Cache Compression for Efficient Large Vision-Language Model Inference",
    venue: "ICCV 2025",
    url: "https://arxiv.org/abs/2503.23956",
  },
  options: {
    alpha: real(
      "α",
      "Elite tokens have at least this share of the strongest attention",
      [0, 1],
      0.9,
    ),
    window: choice("Window", "Which tokens score the rows", [
      "elite",
      "allText",
      "last16",
      "last32",
    ]),
    heads: choice("Heads", "perKvHead: every KV head has its own elite and its own rows", [
      "mean",
      "perKvHead",
    ]),
    budget: choice("Layer budgets", "What determines the rows that a layer keeps", [
      "both",
      "strength",
      "skewness",
      "uniform",
      "pyramid",
    ]),
    rounding: choice("Rounding", "plain: each layer separately, so that the total is not exact", [
      "waterfill",
      "plain",
    ]),
  },
  deviation: ({ rounding }) =>
    rounding === "plain"
      ? "Rounds each layer separately, so that the total is not exact."
      : undefined,
  deviantRows: (input, { budget }) => airCacheBudget(input, budget).plain,
  taps: ({ alpha, window, heads }) => ({
    elite: { window, alpha, perKvHead: heads === "perKvHead" },
  }),
  plan(input, { budget, rounding }) {
    const settled = airCacheBudget(input, budget);
    const counts =
      rounding === "plain" ? settled.plain : layerCounts(input, () => settled.waterfill);
    const { importance } = need(input, "elite");
    const places = input.candidates.length;
    const question = questionPlaces(input);
    const keep = counts.map((count, layer) => {
      const kept = Math.min(question, Math.max(0, count - 1));
      return Array.from({ length: importance.heads }, (_, head) => {
        const votes = candidateScores(input, importance, layer, head);
        const scores = votes.subarray(0, places - question);
        const best = topPlaces(scores, count - kept);
        return { places: Uint32Array.from([...best, ...range(places - kept, places)]), scores };
      });
    });
    const { strength, skew } = settled;
    return planOf(input, keep, undefined, { strength, skewness: skew });
  },
});
