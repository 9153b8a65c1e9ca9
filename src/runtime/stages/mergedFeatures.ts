import type { KeepPlan } from "@/compression/types";
import type { Gpu } from "@/gpu/gpu";
import type { FeatureSlice } from "@/gpu/kernels/common/embed";
import type { EncodedImage, EncodedSegment } from "../session/images";

/** How a plan changes the features of a segment. */
export interface FeatureChange {
  readonly gpu: Gpu;
  readonly plan: KeepPlan;
  /** Rows of the span, of all images. */
  readonly visual: readonly number[];
  /** Of a feature row. */
  readonly width: number;
  /** Takes every buffer, also if a later one fails; the caller destroys them. */
  readonly made: GPUBuffer[];
}

/** Features in which kept rows have taken others in; undefined if the plan merges nothing. */
export async function mergedFeatures(
  change: FeatureChange,
  encoded: EncodedSegment,
): Promise<FeatureSlice[] | undefined> {
  const { plan, visual } = change;
  const merge = plan.layers[0]?.merge;
  if (merge?.kind !== "assign") return undefined;
  const places = new Map(visual.map((row, place) => [row, place]));
  const into = Int32Array.from(visual, (row) => places.get(merge.into[0]?.[row] ?? -1) ?? -1);
  const isRowByRow = encoded.images.every(({ unprojected }) => unprojected !== undefined);
  return plan.addsFeatures && isRowByRow
    ? mergedBeforeConnector(change, encoded, into)
    : mergedBehindConnector(change, encoded, into);
}

async function mergedBehindConnector(
  { gpu, plan, width, made }: FeatureChange,
  { features }: EncodedSegment,
  into: Int32Array,
): Promise<FeatureSlice[]> {
  const merged = features.map(({ firstRow, rows }) => ({
    firstRow,
    rows,
    buffers: [] as GPUBuffer[],
  }));
  const levels = 1 + (features[0]?.deepstack?.length ?? 0);
  for (let level = 0; level < levels; level++) {
    // A row may merge into one of another image.
    const all = new Float32Array(into.length * width);
    for (const { firstRow, rows, features: slice, deepstack = [] } of features) {
      const buffer = [slice, ...deepstack][level] as GPUBuffer;
      all.set(new Float32Array(await gpu.read(buffer, 0, rows * width * 4)), firstRow * width);
    }
    const values = mergedRows(all, width, into, plan.addsFeatures ? "add" : "mean");
    for (const { firstRow, rows, buffers } of merged) {
      const mean = gpu.memory.storage("vision", "merged features", rows * width * 4);
      made.push(mean);
      const own = values.subarray(firstRow * width, (firstRow + rows) * width);
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

/** Only the rows that take others in pass the connector again. */
async function mergedBeforeConnector(
  { gpu, width, made }: FeatureChange,
  { images, features }: EncodedSegment,
  into: Int32Array,
): Promise<FeatureSlice[]> {
  const targets = [...new Set(into)].filter((row) => row >= 0);
  const projected = await projectMerged(gpu, images, into, targets);
  made.push(projected);
  return features.map(({ firstRow, rows }, i) => {
    const { buffer: whole } = images[i] as EncodedImage;
    const buffer = gpu.memory.storage("vision", "merged features", rows * width * 4);
    made.push(buffer);
    const encoder = gpu.device.createCommandEncoder({ label: "merged features" });
    encoder.copyBufferToBuffer(whole, 0, buffer, 0, rows * width * 4);
    for (const [from, row] of targets.entries()) {
      if (row < firstRow || row >= firstRow + rows) continue;
      const to = (row - firstRow) * width * 4;
      encoder.copyBufferToBuffer(projected, from * width * 4, buffer, to, width * 4);
    }
    gpu.device.queue.submit([encoder.finish()]);
    return { features: buffer, deepstack: [], firstRow, rows };
  });
}

/**
 * Rows that have taken others in before the connector, behind it.
 * @param images with `unprojected` rows
 * @param into [rows of all images], as in `mergedRows`
 * @param targets rows that take others in, counted over all images
 * @returns f32 [targets, the decoder's width]; it belongs to the caller
 */
export async function projectMerged(
  gpu: Gpu,
  images: readonly Pick<EncodedImage, "rows" | "unprojected" | "project">[],
  into: Int32Array,
  targets: readonly number[],
): Promise<GPUBuffer> {
  const { width = 0 } = images[0]?.unprojected ?? {};
  const all = new Float32Array(into.length * width);
  let first = 0;
  for (const { rows, unprojected } of images) {
    const { buffer, places } = unprojected as NonNullable<typeof unprojected>;
    const before = new Float32Array(await gpu.read(buffer));
    for (let row = 0; row < rows; row++) {
      const from = (places[row] as number) * width;
      all.set(before.subarray(from, from + width), (first + row) * width);
    }
    first += rows;
  }
  const merged = mergedRows(all, width, into, "add");
  const taken = new Float32Array(targets.length * width);
  for (const [i, row] of targets.entries()) {
    taken.set(merged.subarray(row * width, (row + 1) * width), i * width);
  }
  const { project } = images[0] as (typeof images)[number];
  return (project as NonNullable<typeof project>)(taken);
}

/**
 * Rows that take others in: the `mean` of all of them; or `add`: the row plus the mean of the others.
 * @param data f32 [rows, width]
 * @param into [rows]: the row that takes it in; negative: none does
 */
export function mergedRows(
  data: Float32Array,
  width: number,
  into: Int32Array,
  how: "mean" | "add" = "mean",
): Float32Array<ArrayBuffer> {
  const sums = Float32Array.from(data);
  const counts = new Uint32Array(into.length);
  for (const [row, target] of into.entries()) {
    if (target < 0) continue;
    counts[target]!++;
    for (let i = 0; i < width; i++) sums[target * width + i]! += data[row * width + i] as number;
  }
  for (const [row, count] of counts.entries()) {
    if (count === 0) continue;
    for (let i = row * width; i < (row + 1) * width; i++) {
      const [own, sum] = [data[i] as number, sums[i] as number];
      sums[i] = how === "add" ? own + (sum - own) / count : sum / (count + 1);
    }
  }
  return sums;
}
