import { headScores, need } from "../../blocks/score";
import { integer } from "../../options";
import { scorePolicy } from "../../scorePolicy";

/**
 * KeyDiff: keeps the keys that differ most from the mean key, per KV head; such keys draw much attention.
 *
 * https://arxiv.org/abs/2504.15364. Score of row j: −cos(K_j, mean over rows of K / ‖K‖), [G, N] per layer.
 * The paper has no release by its authors and drops rows whenever a block of the prompt exceeds the
 * cache; here, as in kvpress, rows are dropped once, after the prompt.
 */
export const keyDiff = scorePolicy({
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
    sinks: integer("Sinks", "Oldest rows that are always kept", [0, 64], 0),
    recent: integer("Recents", "Newest rows that are always kept", [0, 64], 0),
  },
  taps: () => ({ keyStats: true }),
  score: (input, layer) =>
    headScores(input, need(input, "keyStats").keyCosine, layer).map((cosines) =>
      cosines.map((cosine) => -cosine),
    ),
});
