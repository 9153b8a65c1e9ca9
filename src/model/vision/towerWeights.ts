import type { Gpu } from "@/gpu/gpu";
import type { ByteSource } from "../checkpoint/byteSource";
import { readTensorMap } from "../checkpoint/safetensors";
import { checkLayerCount } from "../checkpoint/weightCheck";
import { WeightPlan } from "../checkpoint/weightPlan";
import { type NarrowOption, uniformType } from "../checkpoint/weightTypes";
import type { UploadOptions } from "../checkpoint/weightUpload";
import { type TowerConfig, towerRows } from "./towerConfig";
import {
  findTowerLayout,
  firstTowerLayout,
  type TowerLayout,
  type TowerNames,
  type TowerParts,
  towerTensors,
} from "./towerNames";
import { fourfold, type Linear, type Norm, TowerTensors } from "./towerTensors";

export interface TowerLayer {
  readonly attentionNorm: Norm;
  /** [3 × hidden, hidden] */
  readonly qkv: Linear;
  /** f32 [2, hidden]: weights of the norms of all queries and all keys of a row. */
  readonly qkNorm: GPUBuffer | undefined;
  /** [hidden, hidden] */
  readonly output: Linear;
  readonly mlpNorm: Norm;
  /** [intermediate rounded up to 4, hidden] */
  readonly up: Linear;
  /** [hidden, intermediate rounded up to 4] */
  readonly down: Linear;
}

/** A vision transformer's tensors on the GPU, matrices in the precision of their file. */
export interface TowerWeights {
  /** [hidden, channels × patch × patch]: the patch convolution as a matrix. */
  readonly patches: Linear;
  /** f32 [rows of an image, hidden]; a class token's row holds its embedding, too. */
  readonly positions: GPUBuffer;
  readonly preNorm: Norm | undefined;
  readonly layers: readonly TowerLayer[];
  readonly finalNorm: Norm | undefined;
  /** f32 [fold² × hidden] each. */
  readonly connectorNorm: Norm | undefined;
  /** The first [any, fold² × hidden], the last [width, any]. */
  readonly connector: readonly Linear[];
  /** f32 [width] */
  readonly newline: GPUBuffer | undefined;
  readonly bytes: number;
  destroy(): void;
}

/**
 * Loads a vision encoder from a checkpoint's own safetensors.
 * @throws ModelError before anything is allocated where a tensor is missing or not as expected.
 */
export async function loadTowerWeights(
  gpu: Gpu,
  { config, names }: { readonly config: TowerConfig; readonly names: TowerNames },
  source: ByteSource,
  options: UploadOptions & NarrowOption = {},
): Promise<TowerWeights> {
  const tensors = await readTensorMap(source, options);
  const layout = findTowerLayout(tensors, names) ?? firstTowerLayout(names);
  checkLayerCount(config.layers, tensors);
  const expected = towerTensors(config, layout);
  const typeOf = uniformType(tensors, expected, options);
  const plan = new WeightPlan(gpu, { tensors, typeOf });
  plan.check(expected, []);
  const planned = new TowerTensors(plan);
  const weights = gpu.memory.allOrNothing(() => layOut(planned, config, layout));
  const { tower, parts } = layout;
  const classToken = config.hasClassToken
    ? plan.vector("class token", [`${tower}${parts.classToken}`], config.hidden)
    : undefined;
  await plan.load(source, options);
  await planned.finish(gpu);
  if (classToken) await addClassToken(gpu, weights, classToken);
  return { ...weights, bytes: plan.bytes, destroy: () => plan.destroy() };
}

/**
 * Adds the class embedding to its position. The tower computes that row's patch from zeros, so that
 * it is the position plus the patches' bias, which is taken off here.
 */
async function addClassToken(
  gpu: Gpu,
  { positions, patches }: Pick<TowerWeights, "positions" | "patches">,
  classToken: GPUBuffer,
): Promise<void> {
  const bytes = classToken.size;
  const [row, token, bias] = await Promise.all([
    gpu.read(positions, 0, bytes),
    gpu.read(classToken),
    gpu.read(patches.bias, 0, bytes),
  ]);
  const [token32, bias32] = [new Float32Array(token), new Float32Array(bias)];
  const sum = new Float32Array(row).map((x, i) => x + (token32[i] as number) - (bias32[i] ?? 0));
  gpu.device.queue.writeBuffer(positions, 0, sum);
}

function layOut(
  tensors: TowerTensors,
  config: TowerConfig,
  { tower, parts, connector, connectorNorm, newline }: TowerLayout,
): Omit<TowerWeights, "bytes" | "destroy"> {
  const { hidden, width, channels, patchSize, hasPatchBias } = config;
  const { hasBias, fold } = config.connector;
  const { plan } = tensors;
  const hasNormBias = config.norm === "layer";
  const norm = (name: string, length = hidden, hasBias = hasNormBias) =>
    tensors.norm(name, length, hasBias);
  return {
    patches: tensors.paddedLinear(
      tower + parts.patches,
      [hidden, channels * patchSize ** 2],
      hidden,
      { hasBias: hasPatchBias },
    ),
    positions: plan.vector("positions", [tower + parts.positions], towerRows(config) * hidden),
    preNorm: config.hasPreNorm ? norm(tower + parts.preNorm) : undefined,
    layers: Array.from({ length: config.layers }, (_, layer) =>
      layOutLayer(tensors, config, parts, `${tower}${parts.layers}${layer}.`),
    ),
    finalNorm: config.hasFinalNorm ? norm(tower + parts.finalNorm) : undefined,
    connectorNorm:
      connectorNorm === undefined ? undefined : norm(connectorNorm, fold ** 2 * hidden, true),
    connector: connector.map((name) => tensors.linear(name, width, { hasBias })),
    newline: newline === undefined ? undefined : plan.vector(newline, [newline], width),
  };
}

/** @param at prefix of the layer's tensors */
function layOutLayer(
  tensors: TowerTensors,
  config: TowerConfig,
  parts: TowerParts,
  at: string,
): TowerLayer {
  const { hidden, intermediate, hasQkvBias } = config;
  const [attentionScale, mlpScale] = (parts.scales ?? []).map((name) => at + name);
  const hasNormBias = config.norm === "layer";
  const qkv = parts.qkv.map((name) => at + name);
  const qkNorms = config.hasQkNorm
    ? parts.qkNorms?.map((name) => `${at}${name}.weight`)
    : undefined;
  return {
    attentionNorm: tensors.norm(at + parts.attentionNorm, hidden, hasNormBias),
    qkv: tensors.stacked(`${at}qkv`, qkv, 3 * hidden, hasQkvBias),
    qkNorm: qkNorms && tensors.plan.vector(`${at}q, k norm`, qkNorms, 2 * hidden),
    output: tensors.linear(at + parts.output, hidden, { scale: attentionScale }),
    mlpNorm: tensors.norm(at + parts.mlpNorm, hidden, hasNormBias),
    up: tensors.paddedLinear(at + parts.up, [intermediate, hidden], fourfold(intermediate)),
    down: tensors.paddedLinear(at + parts.down, [hidden, intermediate], hidden, {
      scale: mlpScale,
    }),
  };
}
