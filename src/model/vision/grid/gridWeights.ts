import type { Gpu } from "@/gpu/gpu";
import type { ByteSource } from "../../checkpoint/byteSource";
import { readTensorMap } from "../../checkpoint/safetensors";
import { checkLayerCount } from "../../checkpoint/weightCheck";
import { WeightPlan } from "../../checkpoint/weightPlan";
import { type NarrowOption, uniformType } from "../../checkpoint/weightTypes";
import type { UploadOptions } from "../../checkpoint/weightUpload";
import { type Linear, type Norm, TowerTensors } from "../towerTensors";
import type { GridTowerConfig } from "./gridConfig";
import {
  findGridTower,
  GRID_PARTS,
  type GridTowerNames,
  gridTensors,
  type MergerNames,
  mergerNames,
} from "./gridNames";

export interface GridLayer {
  readonly attentionNorm: Norm;
  /** [3 × hidden, hidden] */
  readonly qkv: Linear;
  /** [hidden, hidden] */
  readonly output: Linear;
  readonly mlpNorm: Norm;
  /** [intermediate, hidden], or gated. */
  readonly up: Linear;
  /** [hidden, intermediate] */
  readonly down: Linear;
}

/** A norm and two linear layers that make feature rows of patches. */
export interface GridMerger {
  readonly norm: Norm;
  /** Elements that the norm covers: a patch's, or a feature row's. */
  readonly normWidth: number;
  /** [fold² × hidden, fold² × hidden] */
  readonly first: Linear;
  /** [width, fold² × hidden] */
  readonly second: Linear;
}

/** A grid tower's tensors on the GPU. Matrices keep the precision of their file, but that of the patches. */
export interface GridTowerWeights {
  /** Per frame of a temporal patch [hidden, channels × patch × patch], f32: the patch convolution; only the first has a bias. */
  readonly patches: readonly Linear[];
  /** f32 [positionSide², hidden] */
  readonly positions: GPUBuffer | undefined;
  readonly layers: readonly GridLayer[];
  readonly merger: GridMerger;
  readonly deepstack: readonly GridMerger[];
  readonly bytes: number;
  destroy(): void;
}

/**
 * Loads a grid tower from a checkpoint's own safetensors.
 * @throws ModelError before anything is allocated where a tensor is missing or not as expected.
 */
export async function loadGridWeights(
  gpu: Gpu,
  { config, names }: { readonly config: GridTowerConfig; readonly names: GridTowerNames },
  source: ByteSource,
  options: UploadOptions & NarrowOption = {},
): Promise<GridTowerWeights> {
  const tensors = await readTensorMap(source, options);
  const prefix = findGridTower(tensors, names) ?? (names.towers[0] as string);
  checkLayerCount(config.layers, tensors);
  const expected = gridTensors(config, names, prefix);
  const typeOf = uniformType(tensors, expected, options);
  const plan = new WeightPlan(gpu, { tensors, typeOf });
  plan.check(expected, []);
  const { hidden, channels, temporalPatchSize, patchSize } = config;
  const kernel = [`${prefix}${GRID_PARTS.patches}.weight`];
  const size = hidden * channels * temporalPatchSize * patchSize ** 2;
  const [weights, raw] = gpu.memory.allOrNothing(() => {
    return [layOut(plan, config, names, prefix), plan.vector("raw patches", kernel, size)] as const;
  });
  await plan.load(source, options);
  try {
    const read = new Float32Array(await gpu.read(raw));
    plan.free(raw);
    for (const [frame, { matrix }] of weights.patches.entries()) {
      const [part] = matrix.parts;
      if (part) gpu.device.queue.writeBuffer(part.buffer, 0, patchMatrix(config, read, frame));
    }
  } catch (error) {
    plan.destroy();
    throw error;
  }
  return { ...weights, bytes: plan.bytes, destroy: () => plan.destroy() };
}

/** Columns of the patch matrix: kernels read four at a time. */
export function gridPatchColumns({ channels, patchSize }: GridTowerConfig): number {
  return Math.ceil((channels * patchSize ** 2) / 4) * 4;
}

/**
 * A convolution's weights [hidden, channels, temporal patch, patch, patch] for one frame as a matrix,
 * f32 [hidden, patch columns].
 */
function patchMatrix(
  config: GridTowerConfig,
  kernel: Float32Array,
  frame: number,
): Float32Array<ArrayBuffer> {
  const { hidden, channels, temporalPatchSize, patchSize } = config;
  const columns = gridPatchColumns(config);
  const square = patchSize ** 2;
  const matrix = new Float32Array(hidden * columns);
  for (let row = 0; row < hidden; row++) {
    for (let i = 0; i < channels * square; i++) {
      const channel = Math.floor(i / square);
      const from = ((row * channels + channel) * temporalPatchSize + frame) * square + (i % square);
      matrix[row * columns + i] = kernel[from] as number;
    }
  }
  return matrix;
}

function layOut(
  plan: WeightPlan,
  config: GridTowerConfig,
  names: GridTowerNames,
  prefix: string,
): Omit<GridTowerWeights, "bytes" | "destroy"> {
  const { hidden: rows, fold, positionSide, deepstack } = config;
  const tensors = new TowerTensors(plan);
  const columns = gridPatchColumns(config);
  const patches = prefix + GRID_PARTS.patches;
  const frame = (at: number): Linear => {
    const buffer = plan.vector(`patches ${at}`, [], rows * columns);
    const parts = [{ buffer, firstRow: 0, rows }];
    const hasBias = config.hasPatchBias && at === 0;
    return {
      matrix: { label: `patches ${at}`, dtype: "f32", rows, columns, parts },
      bias: plan.vector(`patches ${at} bias`, hasBias ? [`${patches}.bias`] : [], rows),
    };
  };
  const merger = (normWidth: number, level?: number) =>
    layOutMerger(tensors, config, mergerNames(names, prefix, level), normWidth);
  return {
    patches: Array.from({ length: config.temporalPatchSize }, (_, at) => frame(at)),
    positions: positionSide
      ? plan.vector("positions", [prefix + GRID_PARTS.positions], positionSide ** 2 * rows)
      : undefined,
    layers: Array.from({ length: config.layers }, (_, layer) =>
      layOutLayer(tensors, config, names, `${prefix}blocks.${layer}.`),
    ),
    merger: merger(rows),
    deepstack: deepstack.map((_, level) => merger(fold ** 2 * rows, level)),
  };
}

/** @param at prefix of the layer's tensors */
function layOutLayer(
  tensors: TowerTensors,
  config: GridTowerConfig,
  { up, down }: GridTowerNames,
  at: string,
): GridLayer {
  const { hidden, intermediate, norm } = config;
  const { attentionNorm, qkv, output, mlpNorm } = GRID_PARTS;
  const isLayerNorm = norm === "layer";
  return {
    attentionNorm: tensors.norm(at + attentionNorm, hidden, isLayerNorm),
    qkv: tensors.linear(at + qkv, 3 * hidden),
    output: tensors.linear(at + output, hidden),
    mlpNorm: tensors.norm(at + mlpNorm, hidden, isLayerNorm),
    up:
      config.mlp === "gated"
        ? tensors.gated(at + up[0], at + up[1], intermediate)
        : tensors.linear(at + up[0], intermediate),
    down: tensors.linear(at + down, hidden),
  };
}

function layOutMerger(
  tensors: TowerTensors,
  { hidden, fold, norm, width }: GridTowerConfig,
  names: MergerNames,
  normWidth: number,
): GridMerger {
  return {
    norm: tensors.norm(names.norm, normWidth, norm === "layer"),
    normWidth,
    first: tensors.linear(names.first, fold ** 2 * hidden),
    second: tensors.linear(names.second, width),
  };
}
