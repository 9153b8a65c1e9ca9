import type { KeepPlan, SmallerGrid, VisionTaps } from "@/compression/types";
import type { Gpu } from "@/gpu/gpu";
import type { FeatureSlice } from "@/gpu/kernels/common/embed";
import type { ImageTile } from "@/model/prompt/imageMarkup";
import type { PromptTile } from "@/model/prompt/prompt";
import { featureBuffers } from "@/model/vision/encoder";
import type { PreparedTurn } from "../request/turn";
import type { EncodedImage, EncodedSegment, PreparedImage, VisionNeeds } from "../session/images";
import type { Segment } from "./job";
import { type FeatureChange, mergedFeatures } from "./mergedFeatures";

/** The tiles of a prompt, and the image behind each. */
interface SegmentTiles {
  readonly prompt: Pick<PreparedTurn["prompt"], "tiles">;
  readonly tileImages: readonly Pick<PreparedImage, "geometry">[];
}

/** What policies that choose before the prefill ask of a segment's images. */
export async function readVisionTaps(
  gpu: Gpu,
  { turn, segment }: { readonly turn: SegmentTiles; readonly segment: Segment },
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

/** Features as a plan wants them; undefined if they stay as they are. */
export async function plannedFeatures(
  change: FeatureChange,
  encoded: EncodedSegment,
): Promise<FeatureSlice[] | undefined> {
  const { gpu, plan, visual, width, made } = change;
  if (!plan.smaller) return mergedFeatures(change, encoded);
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
    try {
      const [features, ...deepstack] = levels.map((level) => {
        const spread = gpu.memory.storage("vision", "scaled features", rows * width * 4);
        made.push(spread);
        const encoder = gpu.device.createCommandEncoder({ label: "scaled features" });
        for (const [from, to] of own.entries()) {
          encoder.copyBufferToBuffer(level, from * width * 4, spread, to * width * 4, width * 4);
        }
        gpu.device.queue.submit([encoder.finish()]);
        return spread;
      }) as [GPUBuffer, ...GPUBuffer[]];
      scaled.push({ features, deepstack, firstRow, rows });
    } finally {
      for (const level of levels) gpu.memory.destroy(level);
    }
  }
  return scaled;
}
