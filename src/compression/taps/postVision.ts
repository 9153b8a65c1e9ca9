import { foldQueries, meanOfRows } from "./fold";
import type { RowScores, TapDefinition } from "./tap";

export interface PostVision {
  /** Σ over text rows of A, mean over the group. [L, G, N] */
  readonly sum: RowScores;
  /** [L] γ in [0, 1]: share of causal entries below threshold × row maximum, mean over heads. */
  readonly sparsity: Float32Array;
}

/**
 * VL-Cache: attention of the rows from `textStart` on, and the share of its entries that are near
 * 0.
 */
export const postVision: TapDefinition<{ readonly threshold: number }, PostVision> = {
  examples: [{ threshold: 0.3 }, { threshold: 0.01 }],
  reference({ threshold }, input) {
    const { layers, heads, rows, textStart } = input;
    const sparsity = new Float32Array(layers);
    for (let layer = 0; layer < layers; layer++) {
      let strong = 0;
      let entries = 0;
      for (let head = 0; head < heads; head++) {
        for (let query = textStart; query < rows; query++) {
          const row = input.attention(layer, head, query);
          const bar = threshold * row.reduce((max, value) => Math.max(max, value), 0);
          strong += row.reduce((sum, value) => sum + (value >= bar ? 1 : 0), 0);
          entries += row.length;
        }
      }
      sparsity[layer] = entries > 0 ? 1 - strong / entries : 0;
    }
    return { sum: foldQueries(input, textStart, meanOfRows(1)), sparsity };
  },
};
