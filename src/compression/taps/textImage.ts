import { foldQueries, groupRows, indices, meanOfRows, sumAt } from "./fold";
import { spanMask } from "./prompt";
import type { RowScores, TapDefinition } from "./tap";

export interface TextImage {
  /** [L] Σ of head-mean attention from text rows to visual rows. */
  readonly visualShare: Float32Array;
  /** [L, 1, text rows] u: attention that a text row receives from text rows, by the rows that see it. */
  readonly textWeight: RowScores;
  /** [L, 1, N] Σ_i u_i Ā[i, j] for visual j, 0 elsewhere. */
  readonly visualScore: RowScores;
}

/** TGV-KV: text-to-visual attention share, text weights and weighted visual scores. */
export const textImage: TapDefinition<true, TextImage> = {
  examples: [true],
  reference(_, input) {
    const { layers, rows, textStart, visual } = input;
    const textRows = rows - textStart;
    const mask = spanMask(rows, visual);
    const visualKeys = indices(0, textStart).filter((key) => mask[key]);
    const sums = foldQueries(input, textStart, meanOfRows(1), 1);
    const weight = new Float32Array(layers * textRows);
    const score = new Float32Array(layers * rows);
    const visualShare = new Float32Array(layers);
    for (let layer = 0; layer < layers; layer++) {
      const layerSums = sums.data.subarray(layer * rows, (layer + 1) * rows);
      visualShare[layer] = sumAt(layerSums, visualKeys);
      const out = new Float64Array(rows);
      for (let text = 0; text < textRows; text++) {
        const at = layer * textRows + text;
        weight[at] = layerSums[textStart + text]! / (textRows - text);
        const all = { layer, group: 0, size: input.heads };
        const query = groupRows(input, all, textStart + text);
        meanOfRows(weight[at]!)(out, query);
      }
      for (const key of visualKeys) score[layer * rows + key] = out[key]!;
    }
    return {
      visualShare,
      textWeight: { layers, heads: 1, rows: textRows, data: weight },
      visualScore: { layers, heads: 1, rows, data: score },
    };
  },
};
