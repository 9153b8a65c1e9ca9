import type { Gpu } from "@/gpu/gpu";
import type { Variants } from "@/gpu/variants";
import type { ByteSource } from "../checkpoint/byteSource";
import { readTensorMap, type TensorMap } from "../checkpoint/safetensors";
import type { NarrowOption } from "../checkpoint/weightTypes";
import type { UploadOptions } from "../checkpoint/weightUpload";
import type { VisionEncoder } from "./encoder";
import type { GridTowerConfig } from "./grid/gridConfig";
import { findGridTower, type GridTowerNames, gridTensors } from "./grid/gridNames";
import { GridTower } from "./grid/gridTower";
import { loadGridWeights } from "./grid/gridWeights";
import type { EncoderShape } from "./onnxContract";
import type { EncoderProducts } from "./range";
import { type MakeEncoder, RangedEncoder, type RangeMemory } from "./rangedEncoder";
import { VisionTower } from "./tower";
import { featuresPerSide, type TowerConfig } from "./towerConfig";
import { findTowerLayout, firstTowerLayout, type TowerNames, towerTensors } from "./towerNames";
import { loadTowerWeights } from "./towerWeights";

/** A vision encoder in a checkpoint's safetensors. */
export interface EncoderWeights {
  /** Its tensors with their shapes, named as in the first layout. */
  tensors(): readonly (readonly [name: string, shape: readonly number[]])[];
  /** What an ONNX file must give in its place; undefined where none can. */
  readonly onnx: EncoderShape | undefined;
  /** Whether the checkpoint has it. @throws ModelError */
  isIn(source: ByteSource, options?: UploadOptions): Promise<boolean>;
  /**
   * Loads its tensors, then waits for the kernel variants and compiles.
   * @throws ModelError, KernelCompileError
   */
  load(
    gpu: Gpu,
    source: ByteSource,
    variants: Variants | Promise<Variants>,
    options?: LoadEncoderOptions,
  ): Promise<VisionEncoder>;
}

interface LoadEncoderOptions extends UploadOptions, NarrowOption {
  /** Default: the range of activations is measured, and not remembered. */
  readonly range?: RangeMemory;
}

const FORGETS: RangeMemory = { recall: async () => undefined, keep: async () => {} };

/** The encoder of square tiles. */
export function tiledEncoder(config: TowerConfig, names: TowerNames): EncoderWeights {
  const shape = {
    tileSize: config.imageSize,
    rows: featuresPerSide(config) ** 2,
    width: config.width,
  };
  return encoderWeights({
    tensors: () => towerTensors(config, firstTowerLayout(names)),
    // Rows of tiles are arranged with a newline row by our encoder alone.
    onnx: names.newlines ? undefined : shape,
    isIn: (tensors) => findTowerLayout(tensors, names) !== undefined,
    load: (gpu, source, options) => loadTowerWeights(gpu, { config, names }, source, options),
    create: (gpu, weights, products) => VisionTower.create(gpu, config, weights, products),
  });
}

/** The encoder of images of any size. */
export function gridEncoder(config: GridTowerConfig, names: GridTowerNames): EncoderWeights {
  return encoderWeights({
    tensors: () => gridTensors(config, names, names.towers[0] ?? ""),
    onnx: undefined,
    isIn: (tensors) => findGridTower(tensors, names) !== undefined,
    load: (gpu, source, options) => loadGridWeights(gpu, { config, names }, source, options),
    create: (gpu, weights, products) => GridTower.create(gpu, config, weights, products),
  });
}

interface EncoderKind<W> extends Pick<EncoderWeights, "tensors" | "onnx"> {
  isIn(tensors: TensorMap): boolean;
  load(gpu: Gpu, source: ByteSource, options?: LoadEncoderOptions): Promise<W>;
  create(gpu: Gpu, weights: W, products: EncoderProducts): Promise<VisionEncoder>;
}

function encoderWeights<W extends { destroy(): void }>(kind: EncoderKind<W>): EncoderWeights {
  return {
    tensors: kind.tensors,
    onnx: kind.onnx,
    async isIn(source, options) {
      return kind.isIn(await readTensorMap(source, options));
    },
    async load(gpu, source, variants, { range = FORGETS, ...options } = {}) {
      const weights = await kind.load(gpu, source, options);
      const make: MakeEncoder = (chosen, meter) =>
        kind.create(gpu, weights, { variants: chosen, meter });
      try {
        const wanted = await variants;
        if (wanted.matmul !== "tiledF16") return await make(wanted);
        return await RangedEncoder.create(gpu, { make, variants: wanted, memory: range });
      } catch (error) {
        weights.destroy();
        throw error;
      }
    },
  };
}
