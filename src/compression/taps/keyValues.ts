import type { KeyValues, PromptAttention } from "./tap";

/** @throws RangeError if the prompt was recorded without keys and values */
export function keyValuesOf({ keyValues }: PromptAttention): KeyValues {
  if (!keyValues) throw new RangeError("this tap needs keys and values");
  return keyValues;
}

/** [N][D] the rows of one head, counted over layers and KV heads. */
export function headVectors(
  tensor: Float32Array,
  head: number,
  { rows, headDim }: KeyValues,
): Float32Array[] {
  return Array.from({ length: rows }, (_, row) =>
    tensor.subarray((head * rows + row) * headDim, (head * rows + row + 1) * headDim),
  );
}

/** Euclidean length. */
export function norm(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! ** 2;
  return Math.sqrt(sum);
}
