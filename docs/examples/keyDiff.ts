import { uniformBudget } from "@/compression/blocks/budget";
import { definePolicy } from "@/compression/definePolicy";
import { integer } from "@/compression/options";
import { headScores, need } from "@/compression/blocks/score";
import { keepTop, layerCounts, planLayers } from "@/compression/blocks/select";

/**
 * KeyDiff: keeps the keys that differ most from the mean key, per KV head; they draw most attention.
 *
 * https://arxiv.org/abs/2504.15364. The paper drops whenever a block of the prompt exceeds the cache;
 * here, as for every policy, once, after the prompt.
 */
export const keyDiff = definePolicy({
  id: "keydiff",
  label: "KeyDiff",
  summary: "Keeps the keys that are least like the mean key; needs no attention.",
  paper: {
    title:
      "KeyDiff: Key Similarity-Based KV Cache Eviction for Long-Context LLM Inference in Resource-Constrained Environments",
    venue: "arXiv 2025",
    url: "https://arxiv.org/abs/2504.15364",
  },
  options: {
    recent: integer("Recents", "Newest rows that are always kept", [0, 64], 0),
  },
  taps: () => ({ keyStats: true }),
  plan(input, { recent }) {
    const { keyCosine } = need(input.taps.keyStats, "keyStats");
    const counts = layerCounts(input, () => uniformBudget(input.budget, input.layers));
    return planLayers(input, counts, (layer, count) =>
      headScores(input, keyCosine, layer).map((cosines) => {
        const difference = cosines.map((cosine) => -cosine);
        return keepTop(difference, count, { first: 0, last: recent });
      }),
    );
  },
});
