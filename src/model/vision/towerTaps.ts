import type { Gpu } from "@/gpu/gpu";
import type { ReceivedAttention } from "@/gpu/kernels/vision/receivedAttention";
import type { Recorder } from "@/gpu/recorder";
import type { ProcessedImage } from "../families/family";
import type { ImageFeatures } from "./encoder";
import { type TowerConfig, towerRows } from "./towerConfig";
import type { TowerScratch } from "./towerScratch";
import { meanOfHeads, sumsOfRows } from "./visualRows";

/**
 * The attention that rows receive, from what the last layer has left in the scratch buffers.
 * @param received f32 [tiles, rows]: those of `tiles` tiles from `first` on are written
 */
export function recordReceived(
  recorder: Recorder,
  kernel: ReceivedAttention,
  config: TowerConfig,
  { queries, keys, lse, rows: total }: TowerScratch,
  received: GPUBuffer,
  [first, tiles]: readonly [first: number, tiles: number],
): void {
  const { heads, headDim, hasClassToken } = config;
  const rows = towerRows(config);
  const buffers = { queries, keys, lse, received };
  for (let tile = 0; tile < tiles; tile++) {
    kernel(recorder, {
      ...{ ...buffers, heads, headDim, rows, first: tile * rows, total },
      to: (first + tile) * rows,
      queryRows: hasClassToken ? 1 : rows,
    });
  }
}

/** Keys of the last layer of `tiles` tiles, mean over heads; copied before the next tiles are encoded. */
export async function readTileKeys(
  gpu: Gpu,
  config: TowerConfig,
  { keys, rows: stride }: TowerScratch,
  tiles: number,
): Promise<Float32Array> {
  const all = new Float32Array(await gpu.read(keys));
  return meanOfHeads(all, config, stride, tiles * towerRows(config));
}

/** Attention and keys of the prompt's rows. @param parts of `readTileKeys`, in the order of the tiles */
export async function readTowerTaps(
  gpu: Gpu,
  config: TowerConfig,
  image: ProcessedImage,
  received: GPUBuffer,
  parts: readonly Promise<Float32Array>[],
): Promise<Pick<ImageFeatures, "attention" | "keys">> {
  const { headDim: width } = config;
  const attention = sumsOfRows(new Float32Array(await gpu.read(received)), config, image);
  const all = new Float32Array(image.tiles * towerRows(config) * width);
  let at = 0;
  for (const part of await Promise.all(parts)) {
    all.set(part, at);
    at += part.length;
  }
  return { attention, keys: { width, data: sumsOfRows(all, config, image, width) } };
}
