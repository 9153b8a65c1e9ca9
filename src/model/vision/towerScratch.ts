import type { Gpu } from "@/gpu/gpu";
import type { CacheBinding } from "@/gpu/kernels/kv/cacheBinding";
import {
  featuresPerSide,
  patchColumns,
  patchesPerSide,
  positionsOf,
  type TowerConfig,
  towerRows,
} from "./towerConfig";
import { fourfold } from "./towerTensors";

/**
 * Buffers of one image's encoding, for `tiles` tiles at a time: `rows` rows of the transformer become
 * `features` rows. All f32 unless they say otherwise.
 */
export class TowerScratch {
  /** Of the transformer, for all tiles at once. */
  readonly rows: number;
  /** [tiles, channels, imageSize, imageSize] */
  readonly pixels: GPUBuffer;
  /** [rows, patch columns] */
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
  /** [rows, intermediate rounded up to 4] */
  readonly mlp: GPUBuffer;
  /** [features, fold² × hidden] */
  readonly folded: GPUBuffer;
  /** `folded`, normalized; only where the connector has a norm. */
  readonly foldedNormed: GPUBuffer | undefined;
  /** [features, width] */
  readonly features: GPUBuffer;
  /** [features, width]: between the connector's two projections. */
  readonly projected: GPUBuffer;
  /** u32 [rows]: the position embedding of each patch. */
  readonly positionIndices: GPUBuffer;
  /** u32 [features, fold²]: the rows that each feature folds. */
  readonly foldIndices: GPUBuffer;
  /** [heads, rows, headDim] */
  readonly keys: GPUBuffer;
  readonly #values: GPUBuffer;
  readonly #table: GPUBuffer;
  readonly #gpu: Gpu;
  readonly #buffers: GPUBuffer[] = [];

  constructor(gpu: Gpu, config: TowerConfig, tiles: number) {
    const { hidden, intermediate, heads, headDim, width, channels, imageSize } = config;
    const { fold, hasNorm } = config.connector;
    const rowsPerTile = towerRows(config);
    const rows = tiles * rowsPerTile;
    const features = tiles * featuresPerSide(config) ** 2;
    this.#gpu = gpu;
    this.rows = rows;
    this.pixels = this.#create("pixels", tiles * channels * imageSize ** 2);
    this.patches = this.#create("patches", rows * patchColumns(config));
    this.residual = this.#create("residual", rows * hidden);
    this.normed = this.#create("normed", rows * hidden);
    this.qkv = this.#create("qkv", rows * 3 * hidden);
    this.angles = this.#create("angles", rows * headDim);
    this.queries = this.#create("queries", rows * hidden);
    this.attended = this.#create("attended", (rows + 3) * hidden);
    this.lse = this.#create("lse", rows * heads);
    this.mlp = this.#create("mlp", rows * fourfold(intermediate));
    this.folded = this.#create("folded", features * fold ** 2 * hidden);
    const normed = hasNorm ? features * fold ** 2 * hidden : 0;
    this.foldedNormed = normed > 0 ? this.#create("folded normed", normed) : undefined;
    this.features = this.#create("features", features * width);
    this.projected = this.#create("projected", features * width);
    this.positionIndices = this.#create("positions", rows);
    this.foldIndices = this.#create("fold", features * fold ** 2);
    this.keys = this.#create("keys", rows * hidden);
    this.#values = this.#create("values", rows * hidden);
    this.#table = this.#create("table", (1 + tiles) * heads * 4);

    this.write(
      this.angles,
      Float32Array.from({ length: rows * headDim }, (_, i) => 1 - (i % 2)),
    );
    this.write(this.positionIndices, positionIndices(config, tiles));
    this.write(this.foldIndices, foldIndices(config, tiles));
    this.write(this.#table, tableOf(tiles, heads, rowsPerTile));
  }

  /** Keys and values of all tiles (0), or of tile `layer` − 1 only. */
  keysAndValues(layer: number): CacheBinding {
    return { keys: this.keys, values: this.#values, table: this.#table, layer };
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

/** The learned position of each row of the transformer; a class token has the first. u32 [rows]. */
function positionIndices(config: TowerConfig, tiles: number): Uint32Array {
  const lead = Number(config.hasClassToken);
  const tile = [...(lead ? [0] : []), ...positionsOf(config).map((position) => lead + position)];
  return Uint32Array.from(Array.from({ length: tiles }, () => tile).flat());
}

/**
 * Which rows of the transformer stand side by side in each feature row: the fold × fold neighbours in
 * reading order (Idefics3's pixel shuffle), no class token. u32 [tiles × featuresPerSide², fold²].
 */
export function foldIndices(config: TowerConfig, tiles: number): Uint32Array<ArrayBuffer> {
  const { fold } = config.connector;
  const side = patchesPerSide(config);
  const indices: number[] = [];
  for (let tile = 0; tile < tiles; tile++) {
    const first = tile * towerRows(config) + Number(config.hasClassToken);
    for (let row = 0; row < side; row += fold) {
      for (let column = 0; column < side; column += fold) {
        for (let part = 0; part < fold ** 2; part++) {
          const [y, x] = [row + Math.floor(part / fold), column + (part % fold)];
          indices.push(first + y * side + x);
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
