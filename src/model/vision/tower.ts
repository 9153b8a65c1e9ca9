import type { Gpu } from "@/gpu/gpu";
import type { Slice } from "@/gpu/kernel";
import type { Recorder } from "@/gpu/recorder";
import type { ProcessedImage } from "../families/family";
import { arrangeRows } from "./arrangeRows";
import { isRowByRow, projectRows, recordConnector } from "./connector";
import type { EncodeOptions, ImageFeatures, VisionEncoder } from "./encoder";
import type { EncoderProducts } from "./range";
import {
  featuresPerSide,
  patchesPerSide,
  smallerOf,
  smallerTower,
  type TowerConfig,
  tilesAtOnce,
  towerRows,
} from "./towerConfig";
import { compileTower, type TowerKernels } from "./towerKernels";
import { TowerScratch } from "./towerScratch";
import { readTileKeys, readTowerTaps, recordReceived } from "./towerTaps";
import type { Norm } from "./towerTensors";
import type { TowerLayer, TowerWeights } from "./towerWeights";

interface LayerArgs {
  readonly layer: TowerLayer;
  /** f32 [rows, hidden], the residual stream. */
  readonly x: GPUBuffer;
  /** f32 [rows, hidden], scratch. */
  readonly normed: GPUBuffer;
  readonly tiles: number;
}

interface NormedRows {
  /** f32 [rows, hidden] */
  readonly input: Slice;
  /** f32 [rows, hidden] */
  readonly output: Slice;
  readonly rows: number;
}

/** What encoding writes. */
interface Outputs {
  /** f32 [feature rows, and one more for what ends a line, width] */
  readonly encoded: GPUBuffer;
  /** f32 [tiles, rows]: attention that they receive. */
  readonly received?: GPUBuffer;
  /** f32 [feature rows, hidden]: what the connector takes. */
  readonly before?: GPUBuffer;
}

/**
 * A vision transformer (https://arxiv.org/abs/2010.11929) in WGSL, from the kernels of the decoder, and
 * the connector to the decoder's width: SigLIP, CLIP, InternViT. Reads the checkpoint's own safetensors; arithmetic
 * is f32, but products with `tiledF16` round their inputs to f16 (`RangedEncoder`).
 */
export class VisionTower implements VisionEncoder {
  readonly tensorBytes: number;
  readonly smaller: "tiles" | undefined;
  readonly #gpu: Gpu;
  readonly #config: TowerConfig;
  readonly #weights: TowerWeights;
  readonly #kernels: TowerKernels;

  private constructor(gpu: Gpu, config: TowerConfig, weights: TowerWeights, kernels: TowerKernels) {
    this.tensorBytes = weights.bytes;
    this.smaller = smallerOf(config);
    this.#gpu = gpu;
    this.#config = config;
    this.#weights = weights;
    this.#kernels = kernels;
  }

  /** Compiles the kernels; `weights` are destroyed with the tower. @throws KernelCompileError */
  static async create(
    gpu: Gpu,
    config: TowerConfig,
    weights: TowerWeights,
    products: EncoderProducts,
  ): Promise<VisionTower> {
    const kernels = await compileTower(gpu, config, weights, products);
    return new VisionTower(gpu, config, weights, kernels);
  }

  /** The buffer belongs to the caller, who destroys it through `Memory`. */
  async encode(image: ProcessedImage, options: EncodeOptions = {}): Promise<ImageFeatures> {
    if (image.width < this.#config.imageSize) {
      const config = smallerTower(this.#config, image.width);
      const smaller = new VisionTower(this.#gpu, config, this.#weights, this.#kernels);
      return smaller.encode(image, options);
    }
    const { memory } = this.#gpu;
    const { hidden, width } = this.#config;
    const { tiles, arrangement } = image;
    const count = tiles * featuresPerSide(this.#config) ** 2;
    // One more row for what ends a line, where the family has that.
    const rows = count + (this.#weights.newline ? 1 : 0);
    const keepsRows = options.attention && isRowByRow(this.#config, image);
    const size = tiles * towerRows(this.#config) * 4;
    const { attention } = options;
    const outputs = memory.allOrNothing(() => ({
      encoded: memory.storage("vision", "image features", rows * width * 4),
      ...(attention && { received: memory.storage("vision", "attention", size) }),
      ...(keepsRows && { before: memory.storage("vision", "unprojected", count * hidden * 4) }),
    })) as Outputs;
    const { encoded, received, before } = outputs;
    try {
      const keys = this.#encodeTiles(image, outputs);
      const tapped = received
        ? await readTowerTaps(this.#gpu, this.#config, image, { received, keys })
        : {};
      const places = arrangement?.indices ?? Uint32Array.from(Array(count).keys());
      const unprojected = before && { buffer: before, width: hidden, places };
      const more = { width, ...tapped, ...(unprojected && { unprojected }) };
      if (!arrangement) return { buffer: encoded, rows: count, ...more };
      const { newline } = this.#weights;
      const source = { rows: encoded, count, newline, width };
      const features = arrangeRows(this.#gpu, this.#kernels.blend, source, arrangement);
      memory.destroy(encoded);
      return { buffer: features, rows: arrangement.rows, ...more };
    } catch (error) {
      for (const buffer of [encoded, before]) if (buffer) memory.destroy(buffer);
      throw error;
    } finally {
      if (received) memory.destroy(received);
    }
  }

  project(rows: Float32Array<ArrayBuffer>): GPUBuffer {
    return projectRows(this.#gpu, this.#connector, rows);
  }

  get #connector() {
    return { config: this.#config, weights: this.#weights, kernels: this.#kernels };
  }

  /** Feature rows of all tiles, in their order, and what else is asked for. @returns keys of the tiles */
  #encodeTiles(
    { pixelValues, tiles }: ProcessedImage,
    { encoded, received, before }: Outputs,
  ): readonly Promise<Float32Array>[] {
    const keys: Promise<Float32Array>[] = [];
    const most = tilesAtOnce(this.#config);
    const tileFloats = pixelValues.length / tiles;
    const rowBytes = featuresPerSide(this.#config) ** 2 * 4;
    const scratch = this.#gpu.memory.allOrNothing(
      () => new TowerScratch(this.#gpu, this.#config, Math.min(tiles, most)),
    );
    try {
      for (let first = 0; first < tiles; first += most) {
        const count = Math.min(most, tiles - first);
        const pixels = pixelValues.subarray(first * tileFloats, (first + count) * tileFloats);
        scratch.write(scratch.pixels, pixels);
        const recorder = this.#gpu.recorder("vision");
        this.#record(recorder, scratch, count);
        if (received) {
          const { received: kernel } = this.#kernels;
          const batch = { config: this.#config, scratch, first, tiles: count };
          recordReceived(recorder, kernel, batch, received);
        }
        recorder.submit((encoder) => {
          const copy = (from: GPUBuffer, to: GPUBuffer, width: number) => {
            const bytes = rowBytes * width;
            encoder.copyBufferToBuffer(from, 0, to, first * bytes, count * bytes);
          };
          copy(scratch.features, encoded, this.#config.width);
          if (before) copy(scratch.folded, before, this.#config.hidden);
        });
        recorder.destroy();
        if (received) keys.push(readTileKeys(this.#gpu, this.#config, scratch, count));
      }
      return keys;
    } finally {
      scratch.destroy();
    }
  }

  async release(): Promise<void> {
    this.#weights.destroy();
  }

  /** Patches + positions → norm? → layers → norm? → folded rows → the decoder's width. */
  #record(recorder: Recorder, scratch: TowerScratch, tiles: number): void {
    const { hidden: width, connector, channels, imageSize, patchSize: patch } = this.#config;
    const { patches, gather, embedding } = this.#kernels;
    const weights = this.#weights;
    const side = patchesPerSide(this.#config);
    const rows = tiles * towerRows(this.#config);

    patches(recorder, {
      ...{ pixels: scratch.pixels, patches: scratch.patches, images: tiles, channels, patch },
      ...{ height: imageSize, width: imageSize, patchRows: side, patchColumns: side },
      lead: Number(this.#config.hasClassToken),
      columns: weights.patches.matrix.columns,
    });
    let [x, other] = [scratch.residual, scratch.normed];
    const looked = { indices: scratch.positionIndices, output: x, rows, parts: 1, width };
    gather(recorder, { input: weights.positions, ...looked });
    embedding(recorder, { input: scratch.patches, ...weights.patches, output: x, rows });
    if (weights.preNorm) {
      this.#norm(recorder, weights.preNorm, { input: x, output: other, rows });
      [x, other] = [other, x];
    }
    for (const layer of weights.layers) {
      this.#recordLayer(recorder, scratch, { layer, x, normed: other, tiles });
    }
    if (weights.finalNorm) {
      this.#norm(recorder, weights.finalNorm, { input: x, output: other, rows });
      x = other;
    }
    const features = tiles * featuresPerSide(this.#config) ** 2;
    const folded = { indices: scratch.foldIndices, output: scratch.folded, rows: features };
    gather(recorder, { input: x, ...folded, parts: connector.fold ** 2, width });
    recordConnector(recorder, this.#connector, scratch, features);
  }

  /** x += attention(norm(x)); x += mlp(norm(x)). Every tile attends to itself alone. */
  #recordLayer(recorder: Recorder, scratch: TowerScratch, args: LayerArgs): void {
    const { layer, x, normed, tiles } = args;
    const rowsPerTile = towerRows(this.#config);
    const rows = tiles * rowsPerTile;
    const { bias, residual, activated, down, splitHeads, attention } = this.#kernels;
    const { qkv, angles, queries, attended, lse, mlp } = scratch;
    const { heads, headDim } = this.#config;
    const shape = { heads, kvHeads: heads, headDim };

    this.#norm(recorder, layer.attentionNorm, { input: x, output: normed, rows });
    bias(recorder, { input: normed, ...layer.qkv, output: qkv, rows });
    if (layer.qkNorm) {
      const { hidden, normEpsilon: epsilon } = this.#config;
      // All queries of a row together, as if they were one head.
      const whole = { heads: 1, kvHeads: 1, headDim: hidden };
      const args = { shape: whole, weights: layer.qkNorm, qkv, rows, epsilon };
      this.#kernels.qkNorm(recorder, args);
    }
    const cache = scratch.keysAndValues(0);
    splitHeads(recorder, { shape, cache, qkv, angles, queries, rows });
    for (let tile = 0; tile < tiles; tile++) {
      attention(recorder, {
        cache: scratch.keysAndValues(1 + tile),
        ...{ queries, output: attended, lse },
        rows: rowsPerTile,
        firstRow: tile * rowsPerTile,
      });
    }
    residual(recorder, { input: attended, ...layer.output, output: x, rows });
    this.#norm(recorder, layer.mlpNorm, { input: x, output: normed, rows });
    activated(recorder, { input: normed, ...layer.up, output: mlp, rows });
    down(recorder, { input: mlp, ...layer.down, output: x, rows });
  }

  #norm(recorder: Recorder, norm: Norm, rows: NormedRows): void {
    const { hidden: width, normEpsilon: epsilon } = this.#config;
    this.#kernels.norm(recorder, { ...norm, ...rows, width, epsilon });
  }
}
