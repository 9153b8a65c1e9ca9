import type { Gpu } from "@/gpu/gpu";
import type { Slice } from "@/gpu/kernel";
import type { Recorder } from "@/gpu/recorder";
import type { ProcessedImage } from "../../families/family";
import type { EncodeOptions, ImageFeatures, VisionEncoder } from "../encoder";
import type { EncoderProducts } from "../range";
import { GRID_EPSILON, type GridTowerConfig } from "./gridConfig";
import { compileGrid, type GridKernels } from "./gridKernels";
import type { RowRange } from "./gridOrder";
import { GridScratch } from "./gridScratch";
import { readGridTaps, runReceived } from "./gridTaps";
import type { GridLayer, GridMerger, GridTowerWeights } from "./gridWeights";

interface LayerArgs {
  readonly layer: GridLayer;
  /** Whether its rows attend to the whole image. */
  readonly isFull: boolean;
}

interface NormedRows {
  /** f32 [rows, width] */
  readonly input: Slice;
  /** f32 [rows, width] */
  readonly output: Slice;
  readonly rows: number;
  /** Default: the tower's. */
  readonly width?: number;
}

/** Dispatches of a layer besides those per block of rows. */
const LAYER_SLOTS = 24;

/**
 * A vision transformer in WGSL for images of any size: Qwen2-VL (https://arxiv.org/abs/2409.12191),
 * Qwen2.5-VL (https://arxiv.org/abs/2502.13923) and Qwen3-VL (https://arxiv.org/abs/2511.21631). Rotary
 * positions in rows and columns, attention within windows in some layers, fold × fold patches merged into one
 * feature row. Reads the checkpoint's own safetensors; arithmetic is f32, but products with `tiledF16` round their
 * inputs to f16 (`RangedEncoder`).
 */
export class GridTower implements VisionEncoder {
  readonly tensorBytes: number;
  readonly smaller = "images";
  /** Rows that go through the wide products at a time; a multiple of 64, so that parts can be bound. */
  blockRows = 2048;
  readonly #gpu: Gpu;
  readonly #config: GridTowerConfig;
  readonly #weights: GridTowerWeights;
  readonly #kernels: GridKernels;

  private constructor(
    gpu: Gpu,
    config: GridTowerConfig,
    weights: GridTowerWeights,
    kernels: GridKernels,
  ) {
    this.tensorBytes = weights.bytes;
    this.#gpu = gpu;
    this.#config = config;
    this.#weights = weights;
    this.#kernels = kernels;
  }

  /** Compiles the kernels; `weights` are destroyed with the tower. @throws KernelCompileError */
  static async create(
    gpu: Gpu,
    config: GridTowerConfig,
    weights: GridTowerWeights,
    products: EncoderProducts,
  ): Promise<GridTower> {
    const kernels = await compileGrid(gpu, config, weights, products);
    return new GridTower(gpu, config, weights, kernels);
  }

  /** @throws OutOfMemoryError for an image whose activations exceed a binding */
  async encode(image: ProcessedImage, options: EncodeOptions = {}): Promise<ImageFeatures> {
    const { memory } = this.#gpu;
    const { patchSize, width, deepstack } = this.#config;
    const grid = { rows: image.height / patchSize, columns: image.width / patchSize };
    const scratch = new GridScratch(this.#gpu, this.#config, grid, this.blockRows);
    const outputs: GPUBuffer[] = [];
    let received: GPUBuffer | undefined;
    let tapped: Pick<ImageFeatures, "attention" | "keys"> = {};
    try {
      if (options.attention) {
        received = memory.storage("activations", "vision attention", scratch.rows * 4);
      }
      for (let level = 0; level <= deepstack.length; level++) {
        const bytes = scratch.features * width * 4;
        outputs.push(memory.storage("vision", "image features", bytes));
      }
      const keys = this.#run(image, scratch, outputs, received);
      if (received && keys) {
        const record = { received, keys: await keys };
        tapped = await readGridTaps(this.#gpu, this.#config, scratch, record);
      }
    } catch (error) {
      for (const buffer of outputs) memory.destroy(buffer);
      throw error;
    } finally {
      scratch.destroy();
      if (received) memory.destroy(received);
    }
    const [buffer, ...levels] = outputs as [GPUBuffer, ...GPUBuffer[]];
    const stack = levels.length > 0 ? { deepstack: levels } : {};
    return { buffer, rows: scratch.features, width, ...stack, ...tapped };
  }

  async release(): Promise<void> {
    this.#weights.destroy();
  }

  /** Patches (+ positions) → layers → features; `outputs`: of the last layer, then those of DeepStack. */
  #run(
    image: ProcessedImage,
    scratch: GridScratch,
    outputs: readonly GPUBuffer[],
    received: GPUBuffer | undefined,
  ): Promise<ArrayBuffer> | undefined {
    let keys: Promise<ArrayBuffer> | undefined;
    const { merger, deepstack, layers } = this.#weights;
    const { blocks } = scratch;
    const slots = LAYER_SLOTS + 6 * blocks.length;
    const recorder = this.#gpu.recorder("vision", slots);
    this.#embed(recorder, image, scratch);
    for (const [index, layer] of layers.entries()) {
      this.#recordLayer(recorder, scratch, { layer, isFull: this.#attendsToAll(index) });
      recorder.submit();
      if (received && index === layers.length - 1) {
        const all = [{ first: 0, rows: scratch.rows }];
        const ranges = this.#attendsToAll(index) ? all : scratch.order.windows;
        const encoded = { config: this.#config, scratch, ranges };
        runReceived(this.#gpu, this.#kernels.received, encoded, received);
        keys = this.#gpu.read(scratch.keys); // copied before the merger uses the buffer
      }
      const level = this.#config.deepstack.indexOf(index);
      if (level < 0) continue;
      const output = outputs[1 + level] as GPUBuffer;
      this.#merge(recorder, scratch, deepstack[level] as GridMerger, output);
    }
    this.#merge(recorder, scratch, merger, outputs[0] as GPUBuffer);
    recorder.submit();
    recorder.destroy();
    return keys;
  }

  #attendsToAll(layer: number): boolean {
    const { window } = this.#config;
    return !window || window.fullLayers.includes(layer);
  }

  /** Frames without pixels of their own show those before: a still image, a video's odd last frame. */
  #embed(recorder: Recorder, { pixelValues, height, width }: ProcessedImage, scratch: GridScratch) {
    const { hidden, channels, patchSize: patch } = this.#config;
    const { patches, embedding, laterFrames, gather, blend } = this.#kernels;
    const { patches: framePatches, positions } = this.#weights;
    const { rows, residual, normed } = scratch;
    const { keys: pixels, values: input } = scratch;
    const all = { rows, width: hidden };
    if (positions && scratch.taps) {
      blend(recorder, { input: positions, ...scratch.taps, output: normed, parts: 4, ...all });
    }
    const frameSize = channels * height * width;
    for (const [frame, linear] of framePatches.entries()) {
      const own = pixelValues.subarray(frame * frameSize, (frame + 1) * frameSize);
      if (own.length > 0) {
        // What was recorded before reads the pixels of the frame before.
        recorder.submit();
        scratch.write(pixels, own);
        patches(recorder, {
          ...{ pixels, patches: input, images: 1, channels, patch },
          ...{ height, width, patchRows: height / patch, patchColumns: width / patch },
          ...{ lead: 0, columns: linear.matrix.columns },
        });
      }
      const product = frame === 0 ? embedding : laterFrames;
      product(recorder, { input, ...linear, output: normed, rows });
    }
    const indices = scratch.patchIndices;
    gather(recorder, { input: normed, indices, output: residual, parts: 1, ...all });
  }

  /** x += attention(norm(x)); x += mlp(norm(x)) */
  #recordLayer(recorder: Recorder, scratch: GridScratch, { layer, isFull }: LayerArgs): void {
    const { residual } = this.#kernels;
    const { rows, residual: x, normed } = scratch;
    this.#norm(recorder, layer.attentionNorm, { input: x, output: normed, rows });
    this.#projectQkv(recorder, scratch, layer);
    if (isFull) this.#attendToAll(recorder, scratch);
    else this.#attendInWindows(recorder, scratch);
    residual(recorder, { input: normed, ...layer.output, output: x, rows });
    this.#norm(recorder, layer.mlpNorm, { input: x, output: normed, rows });
    for (const range of scratch.blocks) {
      const [input, output] = [this.#rowsOf(normed, range), this.#rowsOf(x, range)];
      const { block } = scratch;
      this.#kernels.up(recorder, { input, ...layer.up, output: block, rows: range.rows });
      residual(recorder, { input: block, ...layer.down, output, rows: range.rows });
    }
  }

  /** Rotated queries and keys, and values, of the rows of `normed`. */
  #projectQkv(recorder: Recorder, scratch: GridScratch, { qkv }: GridLayer): void {
    const { bias, splitHeads } = this.#kernels;
    const { heads, headDim } = this.#config;
    const { normed, queries, block } = scratch;
    const shape = { heads, kvHeads: heads, headDim };
    for (const [i, range] of scratch.blocks.entries()) {
      bias(recorder, {
        ...{ input: this.#rowsOf(normed, range), ...qkv, output: block },
        rows: range.rows,
      });
      splitHeads(recorder, {
        ...{ shape, cache: scratch.blockCache(i), qkv: block, rows: range.rows },
        angles: this.#rowsOf(scratch.angles, range, headDim),
        queries: this.#rowsOf(queries, range),
      });
    }
  }

  /** normed = the rows' attention to the whole image. */
  #attendToAll(
    recorder: Recorder,
    { whole: cache, queries, normed, lse, rows }: GridScratch,
  ): void {
    this.#kernels.attention(recorder, { cache, queries, output: normed, lse, rows });
  }

  /** normed = the rows' attention within their windows. */
  #attendInWindows(recorder: Recorder, scratch: GridScratch): void {
    const { windows: cache, queries, normed: output, lse, order } = scratch;
    const rows = Math.max(...order.windows.map((window) => window.rows));
    const windows = order.windows.length;
    this.#kernels.windowed?.(recorder, { cache, queries, output, lse, rows, windows });
  }

  /** Some rows of a buffer [rows, width]. */
  #rowsOf(buffer: GPUBuffer, { first, rows }: RowRange, width = this.#config.hidden): Slice {
    return { buffer, offset: first * width * 4, size: rows * width * 4 };
  }

  /** Feature rows in reading order: norm, projection, GELU, projection. */
  #merge(recorder: Recorder, scratch: GridScratch, merger: GridMerger, output: GPUBuffer): void {
    const { bias, gelu, gather } = this.#kernels;
    const { norm, normWidth, first, second } = merger;
    const { residual: x, normed, queries: folded, keys: merged, features: rows } = scratch;
    const { hidden, width } = this.#config;
    const normRows = (scratch.rows * hidden) / normWidth;
    this.#norm(recorder, norm, { input: x, output: normed, rows: normRows, width: normWidth });
    gelu(recorder, { input: normed, ...first, output: folded, rows });
    bias(recorder, { input: folded, ...second, output: merged, rows });
    const indices = scratch.featureIndices;
    gather(recorder, { input: merged, indices, output, rows, parts: 1, width });
  }

  #norm(recorder: Recorder, norm: GridMerger["norm"], rows: NormedRows): void {
    const { hidden: width } = this.#config;
    this.#kernels.norm(recorder, { width, ...norm, ...rows, epsilon: GRID_EPSILON });
  }
}
