import type { Gpu } from "@/gpu/gpu";
import type { ReceivedAttention } from "@/gpu/kernels/vision/receivedAttention";
import type { ImageFeatures } from "../encoder";
import { meanOfHeads } from "../visualRows";
import type { GridTowerConfig } from "./gridConfig";
import type { RowRange } from "./gridOrder";
import type { GridScratch } from "./gridScratch";

/**
 * Runs the kernel for the attention that rows receive, from what the last layer has left in the scratch buffers.
 * @param ranges rows that attend to each other
 * @param received f32 [rows]
 */
export function runReceived(
  gpu: Gpu,
  kernel: ReceivedAttention,
  { heads, headDim }: GridTowerConfig,
  { queries, keys, lse, rows: total }: GridScratch,
  ranges: readonly RowRange[],
  received: GPUBuffer,
): void {
  const recorder = gpu.recorder("vision attention", ranges.length);
  const buffers = { queries, keys, lse, received, heads, headDim, total };
  for (const { first, rows } of ranges) {
    kernel(recorder, { ...buffers, first, rows, to: first, queryRows: rows });
  }
  recorder.submit();
  recorder.destroy();
}

/** Attention and keys of each feature row, in reading order. @param keys [heads, rows, headDim] */
export async function readGridTaps(
  gpu: Gpu,
  config: GridTowerConfig,
  { order: { features }, rows }: GridScratch,
  received: GPUBuffer,
  keys: ArrayBuffer,
): Promise<Pick<ImageFeatures, "attention" | "keys">> {
  const { headDim: width, fold } = config;
  const attention = new Float32Array(await gpu.read(received));
  const means = meanOfHeads(new Float32Array(keys), config, rows, rows);
  const data = sumsOfFolds(means, features, fold ** 2, width);
  return {
    attention: sumsOfFolds(attention, features, fold ** 2, 1),
    keys: { width, data },
  };
}

/** Sums over the `patches` patches of each feature row. @param values [rows, width] */
function sumsOfFolds(
  values: Float32Array,
  features: Uint32Array,
  patches: number,
  width: number,
): Float32Array {
  const sums = new Float32Array(features.length * width);
  for (const [row, place] of features.entries()) {
    for (let i = 0; i < patches * width; i++) {
      sums[row * width + (i % width)]! += values[place * patches * width + i] as number;
    }
  }
  return sums;
}
