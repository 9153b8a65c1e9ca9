import type { TensorMap } from "../../checkpoint/safetensors";
import type { GridTowerConfig } from "./gridConfig";

/** Where a family's checkpoints keep a grid tower. Layers and norms are named without `.weight`. */
export interface GridTowerNames {
  /** Prefixes of the tower in every layout that the Hub has. */
  readonly towers: readonly string[];
  /** Inside of a layer: `gate` and `up`, or `up` alone. */
  readonly up: readonly string[];
  readonly down: string;
  readonly merger: MergerNames;
  /** Prefix of the mergers of DeepStack, before their number; its norm covers whole feature rows. */
  readonly deepstack?: string;
}

/** A norm and two linear layers with GELU between them. */
export interface MergerNames {
  readonly norm: string;
  readonly first: string;
  readonly second: string;
}

export const GRID_PARTS = {
  patches: "patch_embed.proj",
  positions: "pos_embed.weight",
  attentionNorm: "norm1",
  qkv: "attn.qkv",
  output: "attn.proj",
  mlpNorm: "norm2",
} as const;

/** The prefix of a checkpoint's tower; undefined if it has none. */
export function findGridTower(tensors: TensorMap, { towers }: GridTowerNames): string | undefined {
  return towers.find((prefix) => tensors.has(`${prefix}${GRID_PARTS.patches}.weight`));
}

type Tensor = readonly [name: string, shape: readonly number[]];

/** Every tensor that the tower needs, with its shape. @param prefix of the tower */
export function gridTensors(
  config: GridTowerConfig,
  names: GridTowerNames,
  prefix: string,
): readonly Tensor[] {
  const { hidden, channels, temporalPatchSize, patchSize, positionSide } = config;
  const { patches, positions } = GRID_PARTS;
  const kernel = [hidden, channels, temporalPatchSize, patchSize, patchSize];
  const layers = Array.from({ length: config.layers }, (_, layer) =>
    layerTensors(config, names, `${prefix}blocks.${layer}.`),
  );
  return [
    ...linear(prefix + patches, kernel, config.hasPatchBias),
    ...(positionSide ? [[prefix + positions, [positionSide ** 2, hidden]] as const] : []),
    ...layers.flat(),
    ...mergerTensors(config, mergerNames(names, prefix), hidden),
    ...config.deepstack.flatMap((_, level) =>
      mergerTensors(config, mergerNames(names, prefix, level), config.fold ** 2 * hidden),
    ),
  ];
}

/** Names of the merger, or of one of those of DeepStack, with their prefix. */
export function mergerNames(
  { merger, deepstack }: GridTowerNames,
  prefix: string,
  level?: number,
): MergerNames {
  const at = prefix + (level === undefined ? "merger." : `${deepstack}${level}.`);
  return { norm: at + merger.norm, first: at + merger.first, second: at + merger.second };
}

function layerTensors(
  config: GridTowerConfig,
  names: GridTowerNames,
  at: string,
): readonly Tensor[] {
  const { hidden, intermediate } = config;
  const { attentionNorm, qkv, output, mlpNorm } = GRID_PARTS;
  const isLayerNorm = config.norm === "layer";
  return [
    ...linear(at + attentionNorm, [hidden], isLayerNorm),
    ...linear(at + qkv, [3 * hidden, hidden]),
    ...linear(at + output, [hidden, hidden]),
    ...linear(at + mlpNorm, [hidden], isLayerNorm),
    ...names.up.flatMap((name) => linear(at + name, [intermediate, hidden])),
    ...linear(at + names.down, [hidden, intermediate]),
  ];
}

function mergerTensors(
  { hidden, fold, norm, width }: GridTowerConfig,
  names: MergerNames,
  normWidth: number,
): readonly Tensor[] {
  const folded = fold ** 2 * hidden;
  return [
    ...linear(names.norm, [normWidth], norm === "layer"),
    ...linear(names.first, [folded, folded]),
    ...linear(names.second, [width, folded]),
  ];
}

/** Weight and bias of a linear layer or a norm. */
function linear(name: string, shape: readonly number[], hasBias = true): readonly Tensor[] {
  const weight = [`${name}.weight`, shape] as const;
  return hasBias ? [weight, [`${name}.bias`, shape.slice(0, 1)]] : [weight];
}
