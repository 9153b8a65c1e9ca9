import type { Gpu } from "@/gpu/gpu";
import type { ReceivedAttention } from "@/gpu/kernels/vision/receivedAttention";
import type { Recorder } from "@/gpu/recorder";
import type { ProcessedImage } from "../families/family";
import type { ImageFeatures } from "./encoder";
import { type TowerConfig, towerRows } from "./towerConfig";
import type { TowerScratch } from "./towerScratch";
import { meanOfHeads, sumsOfRows } from "./visualRows";

/** Tiles that were encoded at once. */
interface EncodedTiles {
  readonly config: TowerConfig;
  /** As the last layer has left it. */
  readonly scratch: TowerScratch;
  /** The first of them among the image's tiles. */
  readonly first: number;
  readonly tiles: number;
}

/**
 * The attention that the rows of tiles receive.
 * @param received f32 [the image's tiles, rows]: those of these tiles are written
 */
export function recordReceived(
  recorder: Recorder,
  kernel: ReceivedAttention,
  { config, scratch, first, tiles }: EncodedTiles,
  received: GPUBuffer,
): void {
  const { queries, keys, lse, rows: total } = scratch;
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

/** What was recorded while an image was encoded. */
interface TowerRecord {
  /** f32 [tiles, rows]: attention that they receive. */
  readonly received: GPUBuffer;
  /** Of `readTileKeys`, in the order of the tiles. */
  readonly keys: readonly Promise<Float32Array>[];
}

/** Attention and keys of the prompt's rows. */
export async function readTowerTaps(
  gpu: Gpu,
  config: TowerConfig,
  image: ProcessedImage,
  { received, keys }: TowerRecord,
): Promise<Pick<ImageFeatures, "attention" | "keys">> {
  const { headDim: width } = config;
  const attention = sumsOfRows(new Float32Array(await gpu.read(received)), config, image);
  const all = new Float32Array(image.tiles * towerRows(config) * width);
  let at = 0;
  for (const part of await Promise.all(keys)) {
    all.set(part, at);
    at += part.length;
  }
  return { attention, keys: { width, data: sumsOfRows(all, config, image, width) } };
}
