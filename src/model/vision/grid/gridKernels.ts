import type { Gpu } from "@/gpu/gpu";
import { createFlash, type Flash } from "@/gpu/kernels/attention/flash";
import { createRopeAppend, type RopeAppend } from "@/gpu/kernels/attention/ropeAppend";
import { compileAll } from "@/gpu/kernels/common/kernelCall";
import { createRmsNorm } from "@/gpu/kernels/common/rmsNorm";
import {
  createMatmul,
  type Matmul,
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
import type { EncoderProducts } from "../range";
import type { GridTowerConfig } from "./gridConfig";
import type { GridTowerWeights } from "./gridWeights";

export interface GridKernels {
  readonly patches: ImagePatches;
  readonly gather: GatherRows;
  readonly blend: BlendRows;
  readonly norm: LayerNorm;
  readonly bias: Matmul;
  /** For the patches, whose matrix is f32: added to their positions where there are any. */
  readonly embedding: Matmul;
  /** Adds the patches of all frames but the first of a temporal patch. */
  readonly laterFrames: Matmul;
  readonly residual: Matmul;
  readonly up: Matmul;
  readonly gelu: Matmul;
  readonly splitHeads: RopeAppend;
  readonly attention: Flash;
  /** Of every window by itself, all in one dispatch; undefined if no layer has windows. */
  readonly windowed: Flash | undefined;
  readonly received: ReceivedAttention;
}

/** @throws KernelCompileError */
export async function compileGrid(
  gpu: Gpu,
  { heads, headDim, norm: kind, mlp, positionSide, window }: GridTowerConfig,
  weights: GridTowerWeights,
  { variants: { reduction, matmul: variant, flash }, meter }: EncoderProducts,
): Promise<GridKernels> {
  const shape = { heads, kvHeads: heads, headDim };
  const { dtype } = weights.merger.first.matrix;
  const matmul = async (store: MatmulStore, type = dtype) => {
    const product = await createMatmul(gpu, { variant, dtype: type, store });
    return meter && roundsInputs(store) ? meter.on(product) : product;
  };
  const attending = { variant: flash, kvType: "f32", shape, isCausal: false } as const;
  return compileAll({
    patches: createImagePatches(gpu),
    gather: createGatherRows(gpu),
    blend: createBlendRows(gpu),
    norm: kind === "rms" ? createRmsNorm(gpu, reduction) : createLayerNorm(gpu, reduction),
    bias: matmul("bias"),
    embedding: matmul(positionSide ? "residual" : "bias", "f32"),
    laterFrames: matmul("residual", "f32"),
    residual: matmul("residual"),
    up: matmul(mlp),
    gelu: matmul("gelu"),
    splitHeads: createRopeAppend(gpu, "f32"),
    attention: createFlash(gpu, attending),
    windowed: window && createFlash(gpu, { ...attending, isWindowed: true, height: 8 }),
    received: createReceivedAttention(gpu),
  });
}
