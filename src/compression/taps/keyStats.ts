import { headVectors, keyValuesOf, norm } from "./keyValues";
import type { RowScores, TapDefinition } from "./tap";

export interface KeyStats {
  /** ‖K_j‖. [L, G, N] */
  readonly keyNorm: RowScores;
  /** ‖V_j‖. [L, G, N] */
  readonly valueNorm: RowScores;
  /** cos(K_j, mean over rows of K / ‖K‖). [L, G, N] */
  readonly keyCosine: RowScores;
  /** [L, G] squared norm of the mean unit key. */
  readonly meanKeyNorm2: Float32Array;
}

/** Norms of keys and values, and the keys' similarity to the mean unit key. */
export const keyStats: TapDefinition<true, KeyStats> = {
  examples: [true],
  reference(_, input) {
    const keyValues = keyValuesOf(input);
    const { kvHeads, rows, headDim, k, v } = keyValues;
    const { layers } = input;
    const scores = (): RowScores => ({
      layers,
      heads: kvHeads,
      rows,
      data: new Float32Array(layers * kvHeads * rows),
    });
    const stats = {
      keyNorm: scores(),
      valueNorm: scores(),
      keyCosine: scores(),
      meanKeyNorm2: new Float32Array(layers * kvHeads),
    };
    for (let head = 0; head < layers * kvHeads; head++) {
      const mean = new Float64Array(headDim);
      const keys = headVectors(k, head, keyValues);
      for (const [row, key] of keys.entries()) {
        const length = norm(key);
        stats.keyNorm.data[head * rows + row] = length;
        if (length > 0) for (let i = 0; i < headDim; i++) mean[i]! += key[i]! / length / rows;
      }
      const meanLength = norm(mean);
      stats.meanKeyNorm2[head] = meanLength ** 2;
      for (const [row, key] of keys.entries()) {
        const lengths = norm(key) * meanLength;
        const dot = key.reduce((sum, value, i) => sum + value * mean[i]!, 0);
        stats.keyCosine.data[head * rows + row] = lengths > 0 ? dot / lengths : 0;
      }
      for (const [row, value] of headVectors(v, head, keyValues).entries()) {
        stats.valueNorm.data[head * rows + row] = norm(value);
      }
    }
    return stats;
  },
};
