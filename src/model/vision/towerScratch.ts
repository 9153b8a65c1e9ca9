import type { Gpu } from "@/gpu/gpu";
import type { CacheBinding } from "@/gpu/kernels/attention/ropeAppend";
import { patchesPerSide, type TowerConfig } from "./towerConfig";

/**
 * Buffers of one image's encoding, for `tiles` tiles at a time. All f32 unless stated otherwise.
 */
export class TowerScratch {
  /** [tiles, channels, imageSize, imageSize] */
  readonly pixels: GPUBuffer;
  /** [rows, channels × patch × patch] */
  readonly patches: GPUBuffer;
  /** [rows, hidden] */
  readonly residual: GPUBuffer;
  /** [rows, hidden] */
  readonly normed: GPUBuffer;
  /** [rows, 3 × hidden] */
  readonly qkv: GPUBuffer;
  /** [rows, headDim / 2, 2]: cosine 1 and sine 0, for learned positions. */
  readonly angles: GPUBuffer;
  /** [rows, heads, headDim] */
  readonly queries: GPUBuffer;
  /** [rows and 3 more, heads, headDim] */
  readonly attended: GPUBuffer;
  /** [rows, heads] */
  readonly lse: GPUBuffer;
  /** [rows, intermediate] */
  readonly mlp: GPUBuffer;
  /** [rows / fold², fold² × hidden] */
  readonly folded: GPUBuffer;
  /** [rows / fold², width] */
  readonly features: GPUBuffer;
  /** u32 [rows]: the position embedding of each patch. */
  readonly positionIndices: GPUBuffer;
  /** u32 [rows / fold², fold²]: the patches of each folded row. */
  readonly foldIndices: GPUBuffer;
  readonly #keys: GPUBuffer;
  readonly #values: GPUBuffer;
  readonly #table: GPUBuffer;
  readonly #gpu: Gpu;
  readonly #buffers: GPUBuffer[] = [];

  constructor(gpu: Gpu, config: TowerConfig, tiles: number) {
    const { hidden, intermediate, heads, headDim, fold, width, channels, imageSize } = config;
    const { patchSize } = config;
    const side = patchesPerSide(config);
    const rows = tiles * side ** 2;
    const foldedRows = rows / fold ** 2;
    this.#gpu = gpu;
    this.pixels = this.#create("pixels", tiles * channels * imageSize ** 2);
    this.patches = this.#create("patches", rows * channels * patchSize ** 2);
    this.residual = this.#create("residual", rows * hidden);
    this.normed = this.#create("normed", rows * hidden);
    this.qkv = this.#create("qkv", rows * 3 * hidden);
    this.angles = this.#create("angles", rows * headDim);
    this.queries = this.#create("queries", rows * hidden);
    this.attended = this.#create("attended", (rows + 3) * hidden);
    this.lse = this.#create("lse", rows * heads);
    this.mlp = this.#create("mlp", rows * intermediate);
    this.folded = this.#create("folded", rows * hidden);
    this.features = this.#create("features", foldedRows * width);
    this.positionIndices = this.#create("positions", rows);
    this.foldIndices = this.#create("fold", rows);
    this.#keys = this.#create("keys", rows * hidden);
    this.#values = this.#create("values", rows * hidden);
    this.#table = this.#create("table", (1 + tiles) * heads * 4);

    this.write(
      this.angles,
      Float32Array.from({ length: rows * headDim }, (_, i) => 1 - (i % 2)),
    );
    this.write(
      this.positionIndices,
      Uint32Array.from({ length: rows }, (_, i) => i % side ** 2),
    );
    this.write(this.foldIndices, foldIndices(side, fold, tiles));
    this.write(this.#table, tableOf(tiles, heads, side ** 2));
  }

  /** Keys and values of all tiles (0), or of tile `layer` − 1 only. */
  keysAndValues(layer: number): CacheBinding {
    return { keys: this.#keys, values: this.#values, table: this.#table, layer };
  }

  write(buffer: GPUBuffer, data: Float32Array | Uint32Array): void {
    const { buffer: bytes, byteOffset, byteLength } = data;
    this.#gpu.device.queue.writeBuffer(buffer, 0, bytes as ArrayBuffer, byteOffset, byteLength);
  }

  destroy(): void {
    for (const buffer of this.#buffers.splice(0)) this.#gpu.memory.destroy(buffer);
  }

  #create(label: string, words: number): GPUBuffer {
    const buffer = this.#gpu.memory.storage("activations", `vision ${label}`, words * 4);
    this.#buffers.push(buffer);
    return buffer;
  }
}

/**
 * Patches that are concatenated in each folded row: the fold × fold neighbours in reading order
 * (Idefics3's pixel shuffle). u32 [tiles × (side / fold)², fold²].
 */
export function foldIndices(side: number, fold: number, tiles: number): Uint32Array<ArrayBuffer> {
  const indices: number[] = [];
  for (let tile = 0; tile < tiles; tile++) {
    for (let row = 0; row < side; row += fold) {
      for (let column = 0; column < side; column += fold) {
        for (let part = 0; part < fold ** 2; part++) {
          const [y, x] = [row + Math.floor(part / fold), column + (part % fold)];
          indices.push(tile * side ** 2 + y * side + x);
        }
      }
    }
  }
  return Uint32Array.from(indices);
}

/** Offset and rows before (none) of every head: for all tiles at once, then tile by tile. */
function tableOf(tiles: number, heads: number, rowsPerTile: number): Uint32Array<ArrayBuffer> {
  const words: number[] = [];
  const capacity = tiles * rowsPerTile;
  for (const tile of [0, ...Array(tiles).keys()]) {
    for (let head = 0; head < heads; head++) {
      words.push(head * capacity + tile * rowsPerTile, 0, capacity, 0);
    }
  }
  return Uint32Array.from(words);
}
