import type { Gpu } from "@/gpu/gpu";
import type { CacheBinding } from "@/gpu/kernels/attention/ropeAppend";
import { OutOfMemoryError } from "@/gpu/memory";
import { axisAngles } from "../../kv/rotary";
import type { GridTowerConfig } from "./gridConfig";
import { type GridOrder, gridOrder, type PatchGrid, positionTaps } from "./gridOrder";
import { gridPatchColumns } from "./gridWeights";

/** Rows that go through an MLP at a time; a multiple of 64, so that any width can be bound in parts. */
export const MLP_ROWS = 2048;
/** Base of the rotary frequencies. */
const ROPE_BASE = 10_000;

/** Buffers of one image's encoding: `rows` patches become `rows / fold²` features. All f32 unless they say otherwise. */
export class GridScratch {
  readonly order: GridOrder;
  readonly rows: number;
  readonly features: number;
  /** [channels, height, width] */
  readonly pixels: GPUBuffer;
  /** [rows, patch columns], in reading order. */
  readonly patches: GPUBuffer;
  /** u32 [rows]: the patch of each row. */
  readonly patchIndices: GPUBuffer;
  /** u32 [rows, 4] and [rows, 4], in reading order: learned positions and their weights. */
  readonly taps: { readonly indices: GPUBuffer; readonly weights: GPUBuffer } | undefined;
  /** [rows, hidden] */
  readonly residual: GPUBuffer;
  /** [rows, hidden] */
  readonly normed: GPUBuffer;
  /** [rows, 3 × hidden] */
  readonly qkv: GPUBuffer;
  /** [rows, headDim / 2, 2]: cosine and sine of each rotated pair. */
  readonly angles: GPUBuffer;
  /** [rows, heads, headDim] */
  readonly queries: GPUBuffer;
  /** [rows, heads, headDim] */
  readonly attended: GPUBuffer;
  /** [rows, heads] */
  readonly lse: GPUBuffer;
  /** [MLP_ROWS, intermediate] */
  readonly mlp: GPUBuffer;
  /** [features, fold² × hidden] */
  readonly folded: GPUBuffer;
  /** [features, width], in the order of the windows. */
  readonly merged: GPUBuffer;
  /** u32 [features]: the place of each feature row. */
  readonly featureIndices: GPUBuffer;
  readonly #keys: GPUBuffer;
  readonly #values: GPUBuffer;
  readonly #table: GPUBuffer;
  readonly #gpu: Gpu;
  readonly #buffers: GPUBuffer[] = [];

  /** @throws OutOfMemoryError above the adapter's largest binding */
  constructor(gpu: Gpu, config: GridTowerConfig, grid: PatchGrid) {
    const { hidden, intermediate, heads, headDim, fold, width, positionSide, window } = config;
    this.#gpu = gpu;
    this.order = gridOrder(grid, fold, window?.side);
    const { patches, features, windows } = this.order;
    const rows = patches.length;
    this.rows = rows;
    this.features = features.length;
    const pixels = config.channels * rows * config.patchSize ** 2;
    this.pixels = this.#create("pixels", pixels);
    this.patches = this.#create("patches", rows * gridPatchColumns(config));
    this.patchIndices = this.#upload("patch indices", patches);
    this.residual = this.#create("residual", rows * hidden);
    this.normed = this.#create("normed", rows * hidden);
    this.qkv = this.#create("qkv", rows * 3 * hidden);
    this.angles = this.#upload("angles", gridAngles(grid, patches, headDim));
    this.queries = this.#create("queries", rows * hidden);
    this.attended = this.#create("attended", rows * hidden);
    this.lse = this.#create("lse", rows * heads);
    this.mlp = this.#create("mlp", Math.min(rows, MLP_ROWS) * intermediate);
    this.folded = this.#create("folded", rows * hidden);
    this.merged = this.#create("merged", features.length * width);
    this.featureIndices = this.#upload("feature indices", features);
    this.#keys = this.#create("keys", rows * hidden);
    this.#values = this.#create("values", rows * hidden);
    this.#table = this.#upload("table", tableOf(windows, heads, rows));
    const taps = positionSide ? positionTaps(grid, positionSide) : undefined;
    this.taps = taps && {
      indices: this.#upload("taps", taps.indices),
      weights: this.#upload("tap weights", taps.weights),
    };
  }

  /** Keys and values of the whole image, or of one window. */
  keysAndValues(window?: number): CacheBinding {
    const layer = window === undefined ? 0 : 1 + window;
    return { keys: this.#keys, values: this.#values, table: this.#table, layer };
  }

  write(buffer: GPUBuffer, data: Float32Array | Uint32Array): void {
    const { buffer: bytes, byteOffset, byteLength } = data;
    this.#gpu.device.queue.writeBuffer(buffer, 0, bytes as ArrayBuffer, byteOffset, byteLength);
  }

  destroy(): void {
    for (const buffer of this.#buffers.splice(0)) this.#gpu.memory.destroy(buffer);
  }

  #upload(label: string, data: Float32Array | Uint32Array): GPUBuffer {
    const buffer = this.#create(label, data.length);
    this.write(buffer, data);
    return buffer;
  }

  #create(label: string, words: number): GPUBuffer {
    const { maxStorageBufferBindingSize: limit } = this.#gpu.device.limits;
    try {
      if (words * 4 > limit) {
        throw new OutOfMemoryError(`vision ${label}`, words * 4, limit);
      }
      const buffer = this.#gpu.memory.storage("activations", `vision ${label}`, words * 4);
      this.#buffers.push(buffer);
      return buffer;
    } catch (error) {
      this.destroy();
      throw error;
    }
  }
}

/**
 * Angles of rotary positions in rows and columns: the first half of the pairs turns with the row, the second
 * with the column. f32 [rows, headDim / 2, 2]
 */
function gridAngles(
  grid: PatchGrid,
  patches: Uint32Array,
  headDim: number,
): Float32Array<ArrayBuffer> {
  const half = headDim / 4;
  const frequencies = Float32Array.from({ length: 2 * half }, (_, pair) => {
    const exponent = Math.fround((2 * (pair % half)) / (headDim / 2));
    return 1 / Math.fround(ROPE_BASE ** exponent);
  });
  const axes = Uint8Array.from({ length: 2 * half }, (_, pair) => (pair < half ? 1 : 2));
  const positions = Array.from(patches, (patch) => {
    return [0, Math.floor(patch / grid.columns), patch % grid.columns] as const;
  });
  return axisAngles(frequencies, axes, positions);
}

/** Offset and rows before (none) of every head: of the whole image, then of window by window. */
function tableOf(
  windows: GridOrder["windows"],
  heads: number,
  capacity: number,
): Uint32Array<ArrayBuffer> {
  const firsts = [0, ...windows.map(({ first }) => first)];
  const words = firsts.flatMap((first) =>
    Array.from({ length: heads }, (_, head) => [head * capacity + first, 0, capacity, 0]).flat(),
  );
  return Uint32Array.from(words);
}
