import { headVectors, keyValuesOf } from "./keyValues";
import type { RowScores, TapDefinition } from "./tap";

export interface Spectral {
  /** Mean squared distance from the low-pass over the head's dimensions, of K plus of V. [L, G, N] */
  readonly deviation: RowScores;
  /** [L] energy that was cut by all energy, of K plus of V; each sums over the layer's heads. */
  readonly highShare: Float32Array;
}

/** Coefficients that the low-pass keeps: the lowest `gamma` N, at least the constant one. */
export function keptCoefficients(gamma: number, rows: number): number {
  return Math.min(rows, Math.max(1, Math.round(gamma * rows)));
}

/**
 * FlashCache (https://arxiv.org/abs/2511.16786): K and V of a head go through an orthonormal DCT-II along
 * the rows, the lowest `gamma` N coefficients are kept, and the inverse gives the low-pass.
 */
export const spectral: TapDefinition<{ readonly gamma: number }, Spectral> = {
  examples: [{ gamma: 0.2 }],
  reference({ gamma }, input) {
    const keyValues = keyValuesOf(input);
    const { kvHeads, rows, headDim } = keyValues;
    const { layers } = input;
    const data = new Float32Array(layers * kvHeads * rows);
    const highShare = new Float32Array(layers);
    const kept = keptCoefficients(gamma, rows);
    for (let layer = 0; layer < layers; layer++) {
      for (const tensor of [keyValues.k, keyValues.v]) {
        let high = 0;
        let total = 0;
        for (let group = 0; group < kvHeads; group++) {
          const head = layer * kvHeads + group;
          const values = headVectors(tensor, head, keyValues);
          const low = lowPass(values, kept);
          for (const [row, value] of values.entries()) {
            let squared = 0;
            for (let i = 0; i < headDim; i++) {
              squared += (value[i]! - low[row]![i]!) ** 2;
              total += value[i]! ** 2;
            }
            data[head * rows + row]! += squared / headDim;
            high += squared;
          }
        }
        highShare[layer]! += total > 0 ? high / total : 0;
      }
    }
    return { deviation: { layers, heads: kvHeads, rows, data }, highShare };
  },
};

function lowPass(values: readonly Float32Array[], kept: number): readonly Float64Array[] {
  const rows = values.length;
  const low = values.map((value) => new Float64Array(value.length));
  for (let frequency = 0; frequency < kept; frequency++) {
    const scale = (frequency === 0 ? 1 : 2) / rows;
    const wave = (row: number) => Math.cos((Math.PI * (2 * row + 1) * frequency) / (2 * rows));
    const coefficient = new Float64Array(low[0]?.length ?? 0);
    for (const [row, value] of values.entries()) {
      const factor = wave(row);
      for (let i = 0; i < value.length; i++) coefficient[i]! += value[i]! * factor;
    }
    for (const [row, out] of low.entries()) {
      const factor = wave(row) * scale;
      for (let i = 0; i < out.length; i++) out[i]! += coefficient[i]! * factor;
    }
  }
  return low;
}
