import type { Gpu } from "@/gpu/gpu";
import { createFlash, type Flash } from "@/gpu/kernels/attention/flash";
import { createHeadNorm, type HeadNorm } from "@/gpu/kernels/attention/headNorm";
import { createRopeAppend, type RopeAppend } from "@/gpu/kernels/attention/ropeAppend";
import { compileAll } from "@/gpu/kernels/common/kernelCall";
import { createRmsNorm } from "@/gpu/kernels/common/rmsNorm";
import {
  createMatmul,
  type Matmul,
  type MatmulSize,
  type MatmulStore,
  roundsInputs,
} from "@/gpu/kernels/matmul/matmul";
import { type BlendRows, createBlendRows } from "@/gpu/kernels/vision/blendRows";
import { createGatherRows, type GatherRows } from "@/gpu/kernels/vision/gatherRows";
import { createImagePatches, type ImagePatches } from "@/gpu/kernels/vision/imagePatches";
import { createLayerNorm, type LayerNorm } from "@/gpu/kernels/vision/layerNorm";
import {
  createReceivedAttention,
  type ReceivedAttention,
} from "@/gpu/kernels/vision/receivedAttention";
import type { EncoderProducts } from "./range";
import { type TowerConfig, tilesAtOnce, towerRows } from "./towerConfig";
import type { Linear } from "./towerTensors";
import type { TowerLayer, TowerWeights } from "./towerWeights";

/** What a tower runs. */
export interface TowerKernels {
  readonly patches: ImagePatches;
  readonly gather: GatherRows;
  readonly blend: BlendRows;
  readonly norm: LayerNorm;
  /** The connector's, whatever `norm` is. */
  readonly layerNorm: LayerNorm;
  readonly qkNorm: HeadNorm;
  readonly bias: Matmul;
  /** Adds to the residual stream, scaled where the layers have factors. */
  readonly residual: Matmul;
  /** Adds the patches, whose matrix may have another type. */
  readonly embedding: Matmul;
  readonly activated: Matmul;
  /** `residual` for the MLP, whose matrices may have another type. */
  readonly down: Matmul;
  /** The first of the connector's two projections. */
  readonly connector: Matmul | undefined;
  readonly splitHeads: RopeAppend;
  readonly attention: Flash;
  readonly received: ReceivedAttention;
}

/** @throws KernelCompileError */
export async function compileTower(
  gpu: Gpu,
  config: TowerConfig,
  weights: TowerWeights,
  { variants: { reduction, matmul: variant, flash }, meter }: EncoderProducts,
): Promise<TowerKernels> {
  const { heads, headDim, hidden, width, activation, hasLayerScale } = config;
  const { activation: between } = config.connector;
  const shape = { heads, kvHeads: heads, headDim };
  const { dtype } = (weights.connector[0] as Linear).matrix;
  const matmul = async (store: MatmulStore, columns: readonly number[], type = dtype) => {
    const onlySizes = columns.flatMap((each) => sizesOf(config, each));
    const product = await createMatmul(gpu, { variant, dtype: type, store, onlySizes });
    return meter && roundsInputs(store) ? meter.on(product) : product;
  };
  const [layer] = weights.layers as [TowerLayer];
  const added = hasLayerScale ? "scaled" : "residual";
  return compileAll({
    patches: createImagePatches(gpu),
    gather: createGatherRows(gpu),
    blend: createBlendRows(gpu),
    norm: config.norm === "rms" ? createRmsNorm(gpu, reduction) : createLayerNorm(gpu, reduction),
    layerNorm: createLayerNorm(gpu, reduction),
    qkNorm: createHeadNorm(gpu, reduction),
    bias: matmul("bias", [3 * hidden, width]),
    residual: matmul(added, [hidden]),
    embedding: matmul("residual", [hidden], weights.patches.matrix.dtype),
    activated: matmul(activation, [layer.up.matrix.rows], layer.up.matrix.dtype),
    down: matmul(added, [hidden], layer.down.matrix.dtype),
    connector: between && matmul(between, [width]),
    splitHeads: createRopeAppend(gpu, "f32"),
    attention: createFlash(gpu, { variant: flash, kvType: "f32", shape, isCausal: false }),
    received: createReceivedAttention(gpu),
  });
}

/** Of products with as many rows as one tile has, or as all tiles that are encoded at a time. */
function sizesOf(config: TowerConfig, columns: number): readonly MatmulSize[] {
  return [1, tilesAtOnce(config)].map((tiles) => ({ rows: tiles * towerRows(config), columns }));
}
