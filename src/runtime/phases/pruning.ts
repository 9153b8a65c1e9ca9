import type { KeepPlan, SmallerGrid, VisionTaps } from "@/compression/types";
import type { Gpu } from "@/gpu/gpu";
import type { FeatureSlice } from "@/gpu/kernels/common/embed";
import type { ImageTile } from "@/model/prompt/imageMarkup";
import type { PromptTile } from "@/model/prompt/prompt";
import { featureBuffers } from "@/model/vision/encoder";
import type { PreparedTurn } from "../request/turn";
import type { EncodedImage, SeenImage, VisionNeeds } from "../session/images";
import type { Segment } from "./job";

/** The images of a segment, encoded. */
export interface EncodedSegment {
  readonly images: readonly EncodedImage[];
  /** Their features, rows counted over all of them. */
  readonly features: readonly FeatureSlice[];
}

/** The tiles of a prompt, and the image behind each. */
interface SegmentTiles {
  readonly prompt: Pick<PreparedTurn["prompt"], "tiles">;
  readonly tileImages: readonly Pick<SeenImage, "geometry">[];
}

/** What policies that choose before the prefill ask of a segment's images. */
export async function readVisionTaps(
  gpu: Gpu,
  turn: SegmentTiles,
  segment: Segment,
  { images }: EncodedSegment,
  needs: VisionNeeds,
): Promise<VisionTaps> {
  const isScalable = images.every(({ smaller }) => smaller !== undefined);
  const grids = turn.prompt.tiles.flatMap((tile, i) => {
    if (!startsIn(tile, segment)) return [];
    return [{ ...(turn.tileImages[i]?.geometry.tiles[tile.tile] as ImageTile), isScalable }];
  });
  const attention = images.flatMap((image) => [...(image.attention ?? [])]);
  let first = 0;
  const firstEqual = images.flatMap(({ firstEqual = [], rows }) => {
    const own = Array.from(firstEqual, (row) => first + row);
    first += rows;
    return own;
  });
  return {
    grids,
    ...(needs.includes("attention") && { attention: Float32Array.from(attention) }),
    ...(needs.includes("keys") && { keys: joinedKeys(images) }),
    ...(needs.includes("firstEqual") && { firstEqual: Uint32Array.from(firstEqual) }),
    ...(needs.includes("features") && { features: await readFeatures(gpu, images) }),
  };
}

/** Whether a tile's rows are in a segment. */
export function startsIn({ start }: PromptTile, segment: Segment): boolean {
  return start >= segment.start && start < segment.end;
}

function joinedKeys(images: readonly EncodedImage[]): NonNullable<VisionTaps["keys"]> {
  const width = images[0]?.keys?.width ?? 0;
  return { width, data: Float32Array.from(images.flatMap(({ keys }) => [...(keys?.data ?? [])])) };
}

async function readFeatures(
  gpu: Gpu,
  images: readonly EncodedImage[],
): Promise<NonNullable<VisionTaps["features"]>> {
  const { width = 0 } = images[0] ?? {};
  const rows = images.reduce((sum, image) => sum + image.rows, 0);
  const data = new Float32Array(rows * width);
  let first = 0;
  for (const { buffer, rows } of images) {
    data.set(new Float32Array(await gpu.read(buffer, 0, rows * width * 4)), first * width);
    first += rows;
  }
  return { width, data };
}

/** The rows of the span that a plan keeps in every layer. */
export function keptRowsOf(plan: KeepPlan): Uint32Array {
  return plan.layers[0]?.keep[0] as Uint32Array;
}

/**
 * Features as a plan wants them; undefined if they stay as they are.
 * @param visual rows of the span, of all images
 * @param width of a feature row
 * @param made takes every buffer, also if a later one fails; the caller destroys them
 */
export async function plannedFeatures(
  gpu: Gpu,
  plan: KeepPlan,
  visual: readonly number[],
  encoded: EncodedSegment,
  width: number,
  made: GPUBuffer[],
): Promise<FeatureSlice[] | undefined> {
  if (!plan.smaller) return mergedFeatures(gpu, plan, visual, encoded, width, made);
  const kept = new Set(keptRowsOf(plan));
  const places = visual.flatMap((row, place) => (kept.has(row) ? [place] : []));
  const scaled: FeatureSlice[] = [];
  let tile = 0;
  for (const [i, { firstRow, rows }] of encoded.features.entries()) {
    const { smaller, tiles } = encoded.images[i] as EncodedImage;
    const levels = featureBuffers(await smaller!(plan.smaller[tile] as SmallerGrid));
    tile += tiles;
    const own = places
      .filter((place) => place >= firstRow && place < firstRow + rows)
      .map((place) => place - firstRow);
    const [features, ...deepstack] = levels.map((level) => {
      const spread = gpu.memory.storage("vision", "scaled features", rows * width * 4);
      made.push(spread);
      const encoder = gpu.device.createCommandEncoder({ label: "scaled features" });
      for (const [from, to] of own.entries()) {
        encoder.copyBufferToBuffer(level, from * width * 4, spread, to * width * 4, width * 4);
      }
      gpu.device.queue.submit([encoder.finish()]);
      gpu.memory.destroy(level);
      return spread;
    }) as [GPUBuffer, ...GPUBuffer[]];
    scaled.push({ features, deepstack, firstRow, rows });
  }
  return scaled;
}

/**
 * Features in which every kept row is the mean of the rows that merge into it.
 * @param visual rows of the span, of all images
 * @param width of a feature row
 * @param made takes every buffer, also if a later one fails; the caller destroys them
 * @returns undefined if the plan merges nothing
 */
async function mergedFeatures(
  gpu: Gpu,
  plan: KeepPlan,
  visual: readonly number[],
  { features }: EncodedSegment,
  width: number,
  made: GPUBuffer[],
): Promise<FeatureSlice[] | undefined> {
  const merge = plan.layers[0]?.merge;
  if (merge?.kind !== "assign") return undefined;
  const places = new Map(visual.map((row, place) => [row, place]));
  const into = Int32Array.from(visual, (row) => places.get(merge.into[0]?.[row] ?? -1) ?? -1);
  const merged = features.map(({ firstRow, rows }) => ({
    firstRow,
    rows,
    buffers: [] as GPUBuffer[],
  }));
  const levels = 1 + (features[0]?.deepstack?.length ?? 0);
  for (let level = 0; level < levels; level++) {
    // A row may merge into one of another image.
    const all = new Float32Array(visual.length * width);
    for (const { firstRow, rows, features: slice, deepstack = [] } of features) {
      const buffer = [slice, ...deepstack][level] as GPUBuffer;
      all.set(new Float32Array(await gpu.read(buffer, 0, rows * width * 4)), firstRow * width);
    }
    const means = rowMeans(all, width, into);
    for (const { firstRow, rows, buffers } of merged) {
      const mean = gpu.memory.storage("vision", "merged features", rows * width * 4);
      made.push(mean);
      const own = means.subarray(firstRow * width, (firstRow + rows) * width);
      gpu.device.queue.writeBuffer(mean, 0, own);
      buffers.push(mean);
    }
  }
  return merged.map(({ buffers: [first, ...deepstack], ...slice }) => ({
    ...slice,
    features: first as GPUBuffer,
    deepstack,
  }));
}

/** @param into [rows]: the row whose mean takes a row in; negative: none does */
export function rowMeans(
  data: Float32Array,
  width: number,
  into: Int32Array,
): Float32Array<ArrayBuffer> {
  const sums = Float32Array.from(data);
  const counts = new Uint32Array(into.length).fill(1);
  for (const [row, target] of into.entries()) {
    if (target < 0) continue;
    counts[target]!++;
    for (let i = 0; i < width; i++) sums[target * width + i]! += data[row * width + i] as number;
  }
  for (const [i, sum] of sums.entries()) sums[i] = sum / counts[Math.floor(i / width)]!;
  return sums;
}
