import type { Gpu } from "@/gpu/gpu";
import type { Slice } from "@/gpu/kernel";
import { createFlash, type Flash } from "@/gpu/kernels/attention/flash";
import { createRopeAppend, type RopeAppend } from "@/gpu/kernels/attention/ropeAppend";
import type { DType } from "@/gpu/kernels/common/dtype";
import { createMatmul, type Matmul } from "@/gpu/kernels/matmul/matmul";
import { createGatherRows, type GatherRows } from "@/gpu/kernels/vision/gatherRows";
import { createImagePatches, type ImagePatches } from "@/gpu/kernels/vision/imagePatches";
import { createLayerNorm, type LayerNorm } from "@/gpu/kernels/vision/layerNorm";
import type { Recorder } from "@/gpu/recorder";
import type { Variants } from "@/gpu/variants";
import type { ProcessedImage } from "../prompt/processor";
import type { ImageFeatures, VisionEncoder } from "./encoder";
import { patchesPerSide, rowsPerImage, type TowerConfig } from "./towerConfig";
import { TowerScratch } from "./towerScratch";
import type { Linear, Norm, TowerLayer, TowerWeights } from "./towerWeights";

interface TowerKernels {
  readonly patches: ImagePatches;
  readonly gather: GatherRows;
  readonly norm: LayerNorm;
  readonly bias: Matmul;
  readonly residual: Matmul;
  readonly activated: Matmul;
  readonly splitHeads: RopeAppend;
  readonly attention: Flash;
}

/** Patch rows that are encoded at a time; bounds the scratch memory for any number of tiles. */
const MAX_ROWS = 2048;

/**
 * A vision transformer in WGSL, from the kernels of the decoder: SigLIP as Idefics3 and SmolVLM have
 * it (https://arxiv.org/abs/2303.15343), then pixel shuffle and a projection to the decoder's width.
 * Reads the checkpoint's own safetensors; arithmetic is f32.
 */
export class VisionTower implements VisionEncoder {
  readonly tensorBytes: number;
  readonly #gpu: Gpu;
  readonly #config: TowerConfig;
  readonly #weights: TowerWeights;
  readonly #kernels: TowerKernels;

  private constructor(gpu: Gpu, config: TowerConfig, weights: TowerWeights, kernels: TowerKernels) {
    this.tensorBytes = weights.bytes;
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
    variants: Variants,
  ): Promise<VisionTower> {
    const dtype = weights.patches.matrix.dtype;
    return new VisionTower(gpu, config, weights, await compile(gpu, config, variants, dtype));
  }

  /** The buffer belongs to the caller, who destroys it through the ledger. */
  async encode({ pixelValues, tiles }: ProcessedImage): Promise<ImageFeatures> {
    const { memory } = this.#gpu;
    const { width } = this.#config;
    const rowsPerTile = rowsPerImage(this.#config);
    const tilesAtOnce = Math.max(1, Math.floor(MAX_ROWS / patchesPerSide(this.#config) ** 2));
    const tileFloats = pixelValues.length / tiles;
    const tileBytes = rowsPerTile * width * 4;
    const features = memory.storage("vision", "image features", tiles * tileBytes);
    try {
      const scratch = new TowerScratch(this.#gpu, this.#config, Math.min(tiles, tilesAtOnce));
      try {
        for (let first = 0; first < tiles; first += tilesAtOnce) {
          const count = Math.min(tilesAtOnce, tiles - first);
          const pixels = pixelValues.subarray(first * tileFloats, (first + count) * tileFloats);
          scratch.write(scratch.pixels, pixels);
          const recorder = this.#gpu.recorder("vision");
          this.#record(recorder, scratch, count);
          recorder.submit((encoder) =>
            encoder.copyBufferToBuffer(
              scratch.features,
              0,
              features,
              first * tileBytes,
              count * tileBytes,
            ),
          );
          recorder.destroy();
        }
      } finally {
        scratch.destroy();
      }
    } catch (error) {
      memory.destroy(features);
      throw error;
    }
    return { buffer: features, tiles, rowsPerTile, width };
  }

  async release(): Promise<void> {
    this.#weights.destroy();
  }

  /** Patches → embeddings + positions → layers → norm → folded rows → the decoder's width. */
  #record(recorder: Recorder, scratch: TowerScratch, tiles: number): void {
    const { patchSize: patch, channels, hidden, fold, layers } = this.#config;
    const side = patchesPerSide(this.#config);
    const rows = tiles * side ** 2;
    const { patches, gather, residual, bias } = this.#kernels;
    const { weights, x, normed } = { weights: this.#weights, x: scratch.residual, ...scratch };

    patches(recorder, {
      pixels: scratch.pixels,
      patches: scratch.patches,
      images: tiles,
      channels,
      patchRows: side,
      patchColumns: side,
      patch,
    });
    const looked = { indices: scratch.positionIndices, output: x, rows, parts: 1, width: hidden };
    gather(recorder, { input: weights.positions, ...looked });
    residual(recorder, { input: scratch.patches, ...linear(weights.patches), output: x, rows });
    for (let layer = 0; layer < layers; layer++) {
      this.#recordLayer(recorder, scratch, weights.layers[layer] as TowerLayer, tiles);
    }
    this.#norm(recorder, weights.finalNorm, x, normed, rows);
    const foldedRows = rows / fold ** 2;
    gather(recorder, {
      input: normed,
      indices: scratch.foldIndices,
      output: scratch.folded,
      rows: foldedRows,
      parts: fold ** 2,
      width: hidden,
    });
    const projected = { output: scratch.features, rows: foldedRows };
    bias(recorder, { input: scratch.folded, ...linear(weights.connector), ...projected });
  }

  /** x += attention(norm(x)); x += mlp(norm(x)). Each tile attends to itself only. */
  #recordLayer(recorder: Recorder, scratch: TowerScratch, layer: TowerLayer, tiles: number): void {
    const rowsPerTile = patchesPerSide(this.#config) ** 2;
    const rows = tiles * rowsPerTile;
    const { bias, residual, activated, splitHeads, attention } = this.#kernels;
    const { residual: x, normed, qkv, queries, attended, lse, mlp } = scratch;
    const { heads, headDim } = this.#config;

    this.#norm(recorder, layer.attentionNorm, x, normed, rows);
    bias(recorder, { input: normed, ...linear(layer.qkv), output: qkv, rows });
    splitHeads(recorder, {
      shape: { heads, kvHeads: heads, headDim },
      cache: scratch.keysAndValues(0),
      qkv,
      angles: scratch.angles,
      queries,
      rows,
    });
    for (let tile = 0; tile < tiles; tile++) {
      attention(recorder, {
        cache: scratch.keysAndValues(1 + tile),
        queries,
        output: attended,
        lse,
        rows: rowsPerTile,
        firstRow: tile * rowsPerTile,
      });
    }
    residual(recorder, { input: attended, ...linear(layer.output), output: x, rows });
    this.#norm(recorder, layer.mlpNorm, x, normed, rows);
    activated(recorder, { input: normed, ...linear(layer.up), output: mlp, rows });
    residual(recorder, { input: mlp, ...linear(layer.down), output: x, rows });
  }

  #norm(recorder: Recorder, norm: Norm, input: Slice, output: Slice, rows: number): void {
    const { hidden: width, normEpsilon: epsilon } = this.#config;
    this.#kernels.norm(recorder, { input, ...norm, output, rows, width, epsilon });
  }
}

function linear({ matrix, bias }: Linear): Linear {
  return { matrix, bias };
}

async function compile(
  gpu: Gpu,
  { heads, headDim, activation }: TowerConfig,
  { reduction, matmul: variant, flash }: Variants,
  dtype: DType,
): Promise<TowerKernels> {
  const shape = { heads, kvHeads: heads, headDim };
  const [patches, gather, norm, bias, residual, activated, splitHeads, attention] =
    await Promise.all([
      createImagePatches(gpu),
      createGatherRows(gpu),
      createLayerNorm(gpu, reduction),
      createMatmul(gpu, { variant, dtype, store: "bias" }),
      createMatmul(gpu, { variant, dtype, store: "residual" }),
      createMatmul(gpu, { variant, dtype, store: activation }),
      createRopeAppend(gpu, "f32"),
      createFlash(gpu, { variant: flash, kvType: "f32", shape, isCausal: false }),
    ]);
  return { patches, gather, norm, bias, residual, activated, splitHeads, attention };
}
