import { uniformBudget } from "../../blocks/budget";
import { headScores, need } from "../../blocks/score";
import { keepTop, layerCounts, planLayers } from "../../blocks/select";
import { definePolicy } from "../../definePolicy";
import { integer } from "../../options";

/**
 * KNorm: keeps the keys with the smallest norm, per KV head; small keys draw much attention.
 *
 * https://arxiv.org/abs/2406.11430, release https://github.com/alessiodevoto/l2compress: it leaves the first two
 * layers whole; here, as in kvpress, every layer is compressed and nothing is protected unless asked.
 */
export const knorm = definePolicy({
  id: "knorm",
  label: "KNorm",
  summary: "Keeps the keys with the smallest norm; needs no attention.",
  paper: {
    title: "A Simple and Effective L2 Norm-Based Strategy for KV Cache Compression",
    venue: "EMNLP 2024",
    url: "https://arxiv.org/abs/2406.11430",
  },
  release: "https://github.com/alessiodevoto/l2compress",
  options: {
    sinks: integer("Sinks", "Oldest rows that are always kept", [0, 64], 0),
    recent: integer("Recents", "Newest rows that are always kept", [0, 64], 0),
  },
  taps: () => ({ keyStats: true }),
  plan(input, { sinks, recent }) {
    const { keyNorm } = need(input.taps.keyStats, "keyStats");
    const counts = layerCounts(input, () => uniformBudget(input.budget, input.layers));
    return planLayers(input, counts, (layer, count) =>
      headScores(input, keyNorm, layer).map((norms) =>
        keepTop(
          norms.map((norm) => -norm),
          count,
          { first: sinks, last: recent },
        ),
      ),
    );
  },
});
