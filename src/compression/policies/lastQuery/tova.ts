import { uniformBudget } from "../../blocks/budget";
import { dueToHold } from "../../blocks/decodeRules";
import { layerScores, need } from "../../blocks/score";
import { keepTop, layerCounts, planLayers, rowsPerLayer } from "../../blocks/select";
import { definePolicy } from "../../definePolicy";
import { integer } from "../../options";

/**
 * TOVA: the newest query decides, averaged over the heads of a layer; every decoded token evicts
 * the row that it attends to least.
 *
 * https://arxiv.org/abs/2401.06104, release https://github.com/schwartz-lab-NLP/TOVA: it protects nothing;
 * here, as in kvpress, the newest row stays.
 */
export const tova = definePolicy({
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
  plan(input, { recent }) {
    const tap = need(input.taps.lastRow, "lastRow");
    const counts = layerCounts(input, () => uniformBudget(input.budget, input.layers));
    return planLayers(input, counts, (layer, count) => [
      keepTop(layerScores(input, tap, layer), count, { first: 0, last: recent }),
    ]);
  },
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
