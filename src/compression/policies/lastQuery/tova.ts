import { dueToHold } from "../../blocks/decodeRules";
import { layerScores, need } from "../../blocks/score";
import { rowsPerLayer } from "../../blocks/select";
import { integer } from "../../options";
import { scorePolicy } from "../../scorePolicy";

/**
 * TOVA: keeps the rows with most attention from the newest query, averaged over the heads of a
 * layer. Every decoded token evicts the row that it attends to least.
 *
 * Score: s_j = mean over heads of A[N - 1, j], [1, N] per layer.
 *
 * https://arxiv.org/abs/2401.06104, release https://github.com/schwartz-lab-NLP/TOVA: it protects
 * no row; here, as in kvpress, the newest row is kept.
 */
export const tova = scorePolicy({
  id: "tova",
  label: "TOVA",
  summary: "Keeps the rows that the newest query attends to.",
  paper: {
    title: "Transformers are Multi-State RNNs",
    venue: "EMNLP 2024",
    url: "https://arxiv.org/abs/2401.06104",
  },
  release: "https://github.com/schwartz-lab-NLP/TOVA",
  options: {
    recent: integer("Recents", "Newest rows that are always kept", [0, 64], 1),
  },
  taps: () => ({ lastRow: true }),
  score: (input, layer) => [layerScores(input, need(input, "lastRow"), layer)],
  decode: (input, plan, { recent }) => ({
    due: dueToHold(rowsPerLayer(input, plan)),
    victim: {
      kind: "lowest",
      scores: "last",
      perHead: false,
      protectFirst: 0,
      protectLast: recent,
    },
  }),
});
