import { uniformBudget } from "../../blocks/budget";
import { createRandom } from "../../blocks/randomness";
import { keepTop, layerCounts, planLayers } from "../../blocks/select";
import { definePolicy } from "../../definePolicy";
import { choice, real } from "../../options";

/**
 * Keeps random rows besides a recent window: the lower bound for any method.
 *
 * Plan: `count` of |C| places per layer and KV head, drawn by the prompt's seed; the newest
 * ⌊recentShare · count⌋ are kept. No scores.
 *
 * Baseline of EffiVLM-Bench (https://arxiv.org/abs/2506.00479), whose window is a tenth of the
 * budget; `recentShare` 0 is kvpress's random policy. The prompt's seed determines the rows.
 */
export const random = definePolicy({
  id: "random",
  label: "Random",
  summary: "Keeps random rows besides a small recent window; the lower bound for every method.",
  options: {
    recentShare: real("Recent share", "Share of the kept rows that are the newest", [0, 1], 0.1),
    heads: choice("Rows", "perKvHead: every KV head selects its own", ["perKvHead", "shared"]),
  },
  ranks: false,
  taps: () => ({}),
  plan(input, { recentShare, heads }) {
    const draw = createRandom(input.seed);
    const lists = heads === "shared" ? 1 : input.kvHeads;
    const counts = layerCounts(input, () => uniformBudget(input.budget, input.layers));
    return planLayers(input, counts, (_, count) =>
      Array.from(
        { length: lists },
        () =>
          // Random numbers are not scores: return places without scores.
          keepTop(new Float64Array(input.candidates.length).map(draw), count, {
            first: 0,
            last: Math.floor(recentShare * count),
          }).places,
      ),
    );
  },
});
