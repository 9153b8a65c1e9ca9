import type { Gpu } from "@/gpu/gpu";
import type { ReceivedAttention } from "@/gpu/kernels/vision/receivedAttention";
import { runOnce } from "../../scratch";
import type { ImageFeatures } from "../encoder";
import { meanOfHeads } from "../visualRows";
import type { GridTowerConfig } from "./gridConfig";
import type { RowRange } from "./gridOrder";
import type { GridScratch } from "./gridScratch";

/** An image in the last layer. */
interface EncodedRows {
  readonly config: GridTowerConfig;
  /** As that layer has left it. */
  readonly scratch: GridScratch;
  /** Rows that attend to each other. */
  readonly ranges: readonly RowRange[];
}

/** Runs the kernel for the attention that rows receive. @param received f32 [rows] */
export function runReceived(
  gpu: Gpu,
  kernel: ReceivedAttention,
  { config: { heads, headDim }, scratch, ranges }: EncodedRows,
  received: GPUBuffer,
): void {
  const { queries, keys, lse, rows: total } = scratch;
  const buffers = { queries, keys, lse, received, heads, headDim, total };
  runOnce(gpu, "vision attention", ranges.length, (_, recorder) => {
    for (const { first, rows } of ranges) {
      kernel(recorder, { ...buffers, first, rows, to: first, queryRows: rows });
    }
    recorder.submit();
  });
}

/** What was recorded while an image was encoded. */
interface GridRecord {
  /** f32 [rows]: attention that they receive. */
  readonly received: GPUBuffer;
  /** f32 [heads, rows, headDim] */
  readonly keys: ArrayBuffer;
}

/** Attention and keys of each feature row, in reading order. */
export async function readGridTaps(
  gpu: Gpu,
  config: GridTowerConfig,
  { order: { features }, rows }: GridScratch,
  { received, keys }: GridRecord,
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
