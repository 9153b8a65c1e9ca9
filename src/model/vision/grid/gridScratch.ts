import type { Gpu } from "@/gpu/gpu";
import type { CacheBinding } from "@/gpu/kernels/kv/cacheBinding";
import { OutOfMemoryError } from "@/gpu/memory";
import { axisAngles } from "../../kv/rotary";
import type { GridTowerConfig } from "./gridConfig";
import {
  type GridOrder,
  gridOrder,
  type PatchGrid,
  positionTaps,
  type RowRange,
} from "./gridOrder";
import { gridPatchColumns } from "./gridWeights";

/** Base of the rotary frequencies. */
const ROPE_BASE = 10_000;

/**
 * Buffers of one image's encoding: `rows` patches become `rows / fold²` features. An image may have tens of
 * thousands of patches, so that buffers have several uses, one after the other. All f32 unless they say
 * otherwise.
 */
export class GridScratch {
  readonly order: GridOrder;
  readonly rows: number;
  readonly features: number;
  /** The rows in parts of at most `blockRows`. */
  readonly blocks: readonly RowRange[];
  /** u32 [rows]: the patch of each row. */
  readonly patchIndices: GPUBuffer;
  /** u32 [rows, 4] and [rows, 4], in reading order: learned positions and their weights. */
  readonly taps: { readonly indices: GPUBuffer; readonly weights: GPUBuffer } | undefined;
  /** [rows, hidden] */
  readonly residual: GPUBuffer;
  /** [rows, hidden]: normed rows, then what attention gives; first the patches' embeddings. */
  readonly normed: GPUBuffer;
  /** [rows, headDim / 2, 2]: cosine and sine of each rotated pair. */
  readonly angles: GPUBuffer;
  /** [rows, heads, headDim]; in a merger [features, fold² × hidden]. */
  readonly queries: GPUBuffer;
  /** [rows, heads] */
  readonly lse: GPUBuffer;
  /** [blockRows, 3 × hidden] or [blockRows, intermediate] */
  readonly block: GPUBuffer;
  /** Keys; first the pixels [channels, height, width], last merged features [features, width]. */
  readonly keys: GPUBuffer;
  /** Values; first the patches [rows, patch columns] in reading order. */
  readonly values: GPUBuffer;
  /** u32 [features]: the place of each feature row. */
  readonly featureIndices: GPUBuffer;
  readonly #table: GPUBuffer;
  readonly #gpu: Gpu;
  readonly #buffers: GPUBuffer[] = [];

  /** @throws OutOfMemoryError above the adapter's largest binding */
  constructor(gpu: Gpu, config: GridTowerConfig, grid: PatchGrid, blockRows: number) {
    const { hidden, intermediate, heads, headDim, fold, width, positionSide, window } = config;
    this.#gpu = gpu;
    this.order = gridOrder(grid, fold, window?.side);
    const { patches, features, windows } = this.order;
    const rows = patches.length;
    this.rows = rows;
    this.features = features.length;
    this.blocks = blocksOf(rows, blockRows);
    const cached = rows * Math.max(hidden, gridPatchColumns(config));
    this.patchIndices = this.#upload("patch indices", patches);
    this.residual = this.#create("residual", rows * hidden);
    this.normed = this.#create("normed", rows * hidden);
    this.angles = this.#upload("angles", gridAngles(grid, patches, headDim));
    this.queries = this.#create("queries", rows * hidden);
    this.lse = this.#create("lse", rows * heads);
    const largest = Math.min(rows, blockRows);
    this.block = this.#create("block", largest * Math.max(3 * hidden, intermediate));
    this.keys = this.#create("keys", Math.max(cached, features.length * width));
    this.values = this.#create("values", cached);
    this.featureIndices = this.#upload("feature indices", features);
    const parts = [{ first: 0, rows }, ...windows, ...this.blocks];
    this.#table = this.#upload("table", tableOf(parts, heads, rows));
    const taps = positionSide ? positionTaps(grid, positionSide) : undefined;
    this.taps = taps && {
      indices: this.#upload("taps", taps.indices),
      weights: this.#upload("tap weights", taps.weights),
    };
  }

  /** Keys and values of the whole image. */
  get whole(): CacheBinding {
    return this.#keysAndValues(0);
  }

  /** Keys and values of the windows, from the first on. */
  get windows(): CacheBinding {
    return this.#keysAndValues(1);
  }

  blockCache(block: number): CacheBinding {
    return this.#keysAndValues(1 + this.order.windows.length + block);
  }

  write(buffer: GPUBuffer, data: Float32Array | Uint32Array): void {
    const { buffer: bytes, byteOffset, byteLength } = data;
    this.#gpu.device.queue.writeBuffer(buffer, 0, bytes as ArrayBuffer, byteOffset, byteLength);
  }

  destroy(): void {
    for (const buffer of this.#buffers.splice(0)) this.#gpu.memory.destroy(buffer);
  }

  #keysAndValues(layer: number): CacheBinding {
    return { keys: this.keys, values: this.values, table: this.#table, layer };
  }

  #upload(label: string, data: Float32Array | Uint32Array): GPUBuffer {
    const buffer = this.#create(label, data.length);
    this.write(buffer, data);
    return buffer;
  }

  #create(label: string, words: number): GPUBuffer {
    const { maxStorageBufferBindingSize: limit } = this.#gpu.device.limits;
    try {
      if (words * 4 > limit) throw new OutOfMemoryError(`vision ${label}`, words * 4, limit);
      const buffer = this.#gpu.memory.storage("activations", `vision ${label}`, words * 4);
      this.#buffers.push(buffer);
      return buffer;
    } catch (error) {
      this.destroy();
      throw error;
    }
  }
}

function blocksOf(rows: number, blockRows: number): readonly RowRange[] {
  return Array.from({ length: Math.ceil(rows / blockRows) }, (_, i) => {
    const first = i * blockRows;
    return { first, rows: Math.min(blockRows, rows - first) };
  });
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

/** Offset, rows before (none), capacity and number of rows of every head, for each part of the rows. */
function tableOf(
  parts: readonly RowRange[],
  heads: number,
  capacity: number,
): Uint32Array<ArrayBuffer> {
  const words = parts.flatMap(({ first, rows }) =>
    Array.from({ length: heads }, (_, head) => [head * capacity + first, 0, capacity, rows]).flat(),
  );
  return Uint32Array.from(words);
}
