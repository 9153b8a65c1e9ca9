import type { TensorMap } from "../checkpoint/safetensors";
import { patchesPerSide, type TowerConfig } from "./towerConfig";

/** Names of a tower's tensors behind its prefix. A linear layer or a norm is named without `.weight`. */
export interface TowerParts {
  /** The patch convolution. */
  readonly patches: string;
  /** A tensor. */
  readonly positions: string;
  /** A tensor. */
  readonly classToken?: string;
  readonly preNorm?: string;
  readonly finalNorm: string;
  /** Prefix of the layers, before their number. The names below are inside of a layer. */
  readonly layers: string;
  readonly attentionNorm: string;
  readonly qkv: readonly [queries: string, keys: string, values: string];
  readonly qkNorms?: readonly [queries: string, keys: string];
  readonly output: string;
  readonly mlpNorm: string;
  readonly up: string;
  readonly down: string;
  /** Tensors: factors of what attention and the MLP add to the residual stream. */
  readonly scales?: readonly [attention: string, mlp: string];
}

/** CLIP and SigLIP. */
export const CLIP_PARTS: TowerParts = {
  patches: "embeddings.patch_embedding",
  positions: "embeddings.position_embedding.weight",
  classToken: "embeddings.class_embedding",
  preNorm: "pre_layrnorm",
  finalNorm: "post_layernorm",
  layers: "encoder.layers.",
  attentionNorm: "layer_norm1",
  qkv: ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"],
  output: "self_attn.out_proj",
  mlpNorm: "layer_norm2",
  up: "mlp.fc1",
  down: "mlp.fc2",
};

/** Where a family's checkpoints keep the tower and the connector, in every layout that the Hub has. */
export interface TowerNames {
  /** Prefixes of the tower. */
  readonly towers: readonly string[];
  readonly parts: TowerParts;
  /** The connector's linear layers, in every layout. */
  readonly connectors: readonly (readonly string[])[];
  /** The norm before the connector's first linear layer, in every layout. */
  readonly connectorNorms?: readonly string[];
  /** The row that ends a line of patches, for families that have one. */
  readonly newlines?: readonly string[];
}

/** The names of one layout. */
export interface TowerLayout {
  readonly tower: string;
  readonly parts: TowerParts;
  readonly connector: readonly string[];
  readonly connectorNorm: string | undefined;
  readonly newline: string | undefined;
}

/** The layout of a checkpoint; undefined if it has no tower or no connector. */
export function findTowerLayout(tensors: TensorMap, names: TowerNames): TowerLayout | undefined {
  const { parts } = names;
  const has = (name: string) => tensors.has(name);
  const tower = names.towers.find((prefix) => has(`${prefix}${parts.patches}.weight`));
  const connector = names.connectors.find((all) => all.every((name) => has(`${name}.weight`)));
  if (tower === undefined || !connector) return undefined;
  const { connectorNorms: norms, newlines } = names;
  const connectorNorm = norms?.find((name) => has(`${name}.weight`)) ?? norms?.[0];
  const newline = newlines?.find(has) ?? newlines?.[0];
  return { tower, parts, connector, connectorNorm, newline };
}

/** The first of every list: names that an error can report. */
export function firstTowerLayout(names: TowerNames): TowerLayout {
  const { towers, parts, connectors, connectorNorms, newlines } = names;
  const [tower = "", connector = []] = [towers[0], connectors[0]];
  return { tower, parts, connector, connectorNorm: connectorNorms?.[0], newline: newlines?.[0] };
}

type Tensor = readonly [name: string, shape: readonly number[]];

/** Every tensor that the encoder needs, with its shape. */
export function towerTensors(config: TowerConfig, layout: TowerLayout): readonly Tensor[] {
  const { hidden, channels, patchSize, width } = config;
  const { tower, parts, connector, connectorNorm, newline } = layout;
  const { fold, hasBias } = config.connector;
  const positions = patchesPerSide(config) ** 2 + Number(config.hasClassToken);
  const norm = (name: string) => linear(tower + name, [hidden], config.norm === "layer");
  const layers = Array.from({ length: config.layers }, (_, layer) =>
    layerTensors(config, parts, `${tower}${parts.layers}${layer}.`),
  );
  return [
    ...linear(tower + parts.patches, [hidden, channels, patchSize, patchSize], config.hasPatchBias),
    [tower + parts.positions, [positions, hidden]],
    ...(config.hasClassToken ? [[tower + parts.classToken, [hidden]] as const] : []),
    ...(config.hasPreNorm ? norm(parts.preNorm ?? "") : []),
    ...layers.flat(),
    ...(config.hasFinalNorm ? norm(parts.finalNorm) : []),
    ...(connectorNorm === undefined ? [] : linear(connectorNorm, [fold ** 2 * hidden])),
    ...connector.flatMap((name, i) =>
      linear(name, [width, i === 0 ? fold ** 2 * hidden : width], hasBias),
    ),
    ...(newline === undefined ? [] : [[newline, [width]] as const]),
  ];
}

function layerTensors(config: TowerConfig, parts: TowerParts, at: string): readonly Tensor[] {
  const { hidden, intermediate, hasQkvBias } = config;
  const isLayerNorm = config.norm === "layer";
  return [
    ...linear(at + parts.attentionNorm, [hidden], isLayerNorm),
    ...parts.qkv.flatMap((name) => linear(at + name, [hidden, hidden], hasQkvBias)),
    ...(config.hasQkNorm ? (parts.qkNorms ?? []) : []).flatMap((name) =>
      linear(at + name, [hidden], false),
    ),
    ...linear(at + parts.output, [hidden, hidden]),
    ...linear(at + parts.mlpNorm, [hidden], isLayerNorm),
    ...linear(at + parts.up, [intermediate, hidden]),
    ...linear(at + parts.down, [hidden, intermediate]),
    ...(parts.scales ?? []).map((name) => [at + name, [hidden]] as const),
  ];
}

/** Weight and bias of a linear layer or a norm. */
function linear(name: string, shape: readonly number[], hasBias = true): readonly Tensor[] {
  const weight = [`${name}.weight`, shape] as const;
  return hasBias ? [weight, [`${name}.bias`, shape.slice(0, 1)]] : [weight];
}
