import type { RowScores, Taps } from "../types";

/** Cached keys and values of a prompt, each [L, G, N, D]. */
export interface KeyValues {
  readonly kvHeads: number;
  readonly rows: number;
  readonly headDim: number;
  readonly k: Float32Array;
  readonly v: Float32Array;
}

/** Norms of keys and values, and the keys' cosine with the mean over rows of the unit keys. */
export function keyStats(layers: number, input: KeyValues): NonNullable<Taps["keyStats"]> {
  const { kvHeads, rows, headDim } = input;
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
    const keys = rowsOf(input.k, head, rows, headDim);
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
    for (const [row, value] of rowsOf(input.v, head, rows, headDim).entries()) {
      stats.valueNorm.data[head * rows + row] = norm(value);
    }
  }
  return stats;
}

/** Coefficients that the low-pass keeps: the lowest `gamma` N, at least the constant one. */
export function keptCoefficients(gamma: number, rows: number): number {
  return Math.min(rows, Math.max(1, Math.round(gamma * rows)));
}

/**
 * FlashCache (https://arxiv.org/abs/2511.16786): K and V of a head are taken through an orthonormal
 * DCT-II along the rows, the lowest `gamma` N coefficients are kept, and the inverse gives the
 * low-pass. `deviation` is the mean squared difference over the head's dimensions, of K plus of V;
 * `highShare` the energy of what was cut by the energy of everything, of K plus of V, where each sums
 * over the layer's heads.
 */
export function spectral(
  layers: number,
  input: KeyValues,
  gamma: number,
): NonNullable<Taps["spectral"]> {
  const { kvHeads, rows, headDim } = input;
  const data = new Float32Array(layers * kvHeads * rows);
  const highShare = new Float32Array(layers);
  const kept = keptCoefficients(gamma, rows);
  for (let layer = 0; layer < layers; layer++) {
    for (const tensor of [input.k, input.v]) {
      let high = 0;
      let total = 0;
      for (let group = 0; group < kvHeads; group++) {
        const head = layer * kvHeads + group;
        const values = rowsOf(tensor, head, rows, headDim);
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
}

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

function rowsOf(tensor: Float32Array, head: number, rows: number, dim: number): Float32Array[] {
  return Array.from({ length: rows }, (_, row) =>
    tensor.subarray((head * rows + row) * dim, (head * rows + row + 1) * dim),
  );
}

function norm(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! ** 2;
  return Math.sqrt(sum);
}
