import { roundToF16 } from "@/gpu/packing";

/** Rows of a matrix in MLX's affine format: each group of columns has a scale and a bias. */
interface AffineRows {
  /** u32 [rows, columns × bits / 32]: codes, the first in the lowest bits. */
  readonly codes: Uint32Array;
  /** [rows, columns / group] */
  readonly scales: Float32Array;
  /** [rows, columns / group] */
  readonly biases: Float32Array;
  readonly group: number;
  /** A divisor of 32. */
  readonly bits: number;
}

/**
 * Weights in f16, [rows, columns]: code × scale + bias
 * (https://ml-explore.github.io/mlx/build/html/python/_autosummary/mlx.core.quantize.html).
 */
export function dequantizeAffine(rows: AffineRows): Uint16Array<ArrayBuffer> {
  const { codes, scales, biases, group, bits } = rows;
  const mask = 2 ** bits - 1;
  const values = new Float32Array(scales.length * group);
  let at = 0;
  for (let word = 0; word < codes.length; word++) {
    const packed = codes[word] as number;
    for (let shift = 0; shift < 32; shift += bits) {
      const code = (packed >>> shift) & mask;
      const g = Math.floor(at / group);
      values[at++] = code * (scales[g] as number) + (biases[g] as number);
    }
  }
  return roundToF16(values);
}
