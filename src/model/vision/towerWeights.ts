import type { Gpu } from "@/gpu/gpu";
import type { Matrix } from "@/gpu/kernels/common/matrix";
import type { ByteSource } from "../checkpoint/byteSource";
import { readTensorMap, type TensorMap } from "../checkpoint/safetensors";
import { type LoadPlanOptions, WeightPlan } from "../checkpoint/weightPlan";
import { patchColumns, patchesPerSide, type TowerConfig, towerRows } from "./towerConfig";

/** A matrix product's weight and bias. */
export interface Linear {
  readonly matrix: Matrix;
  /** f32 [matrix.rows]; zeros if the file has none. */
  readonly bias: GPUBuffer;
}

/** Layer normalization's weight and bias, f32 [hidden] each. */
export interface Norm {
  readonly weight: GPUBuffer;
  readonly bias: GPUBuffer;
}

export interface TowerLayer {
  readonly attentionNorm: Norm;
  /** [3 × hidden, hidden] */
  readonly qkv: Linear;
  /** [hidden, hidden] */
  readonly output: Linear;
  readonly mlpNorm: Norm;
  /** [intermediate, hidden] */
  readonly up: Linear;
  /** [hidden, intermediate] */
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
  /** The first [any, fold² × hidden], the last [width, any]. */
  readonly connector: readonly Linear[];
  /** f32 [width] */
  readonly newline: GPUBuffer | undefined;
  readonly bytes: number;
  destroy(): void;
}

/** Where a family's checkpoints keep the tower and the connector, in every layout that the Hub has. */
export interface TowerNames {
  readonly towers: readonly string[];
  /** Prefixes of the connector's linear layers, in every layout. */
  readonly connectors: readonly (readonly string[])[];
  /** The row that ends a line of patches, for families that have one. */
  readonly newlines?: readonly string[];
}

const PATCHES = "embeddings.patch_embedding";
const POSITIONS = "embeddings.position_embedding.weight";
const CLASS = "embeddings.class_embedding";

/** Whether a checkpoint's safetensors hold the vision encoder. */
export async function hasTowerWeights(
  source: ByteSource,
  names: TowerNames,
  options: LoadPlanOptions,
): Promise<boolean> {
  return findPrefixes(await readTensorMap(source, options), names) !== undefined;
}

/**
 * Loads a vision encoder from a checkpoint's own safetensors.
 * @throws ModelError before anything is allocated where a tensor is missing or not as expected.
 */
export async function loadTowerWeights(
  gpu: Gpu,
  config: TowerConfig,
  source: ByteSource,
  names: TowerNames,
  options: LoadPlanOptions = {},
): Promise<TowerWeights> {
  const tensors = await readTensorMap(source, options);
  const prefixes = findPrefixes(tensors, names) ?? firstPrefixes(names);
  const { maxStorageBufferBindingSize, maxBufferSize } = gpu.device.limits;
  const bindingBytes = Math.min(maxStorageBufferBindingSize, maxBufferSize);
  const plan = new WeightPlan(gpu, tensors, "", bindingBytes);
  plan.check(describe(config, prefixes), []);
  const weights = layOut(plan, config, prefixes);
  const classToken = config.hasClassToken
    ? plan.vector("class token", [prefixes.tower + CLASS], config.hidden)
    : undefined;
  const rawPatches = isPadded(config)
    ? plan.vector("raw patches", [`${prefixes.tower + PATCHES}.weight`], rawPatchFloats(config))
    : undefined;
  await plan.load(source, options);
  if (rawPatches) await padPatches(gpu, config, rawPatches, weights.patches.matrix);
  if (classToken) await addClassToken(gpu, weights, classToken);
  return { ...weights, bytes: plan.bytes, destroy: () => plan.destroy() };
}

interface Prefixes {
  readonly tower: string;
  readonly newline: string | undefined;
  readonly connector: readonly string[];
}

function findPrefixes(tensors: TensorMap, names: TowerNames): Prefixes | undefined {
  const tower = names.towers.find((prefix) => tensors.has(`${prefix}${PATCHES}.weight`));
  const connector = names.connectors.find((all) => all.every((n) => tensors.has(`${n}.weight`)));
  const newline = names.newlines?.find((name) => tensors.has(name)) ?? names.newlines?.[0];
  return tower === undefined || !connector ? undefined : { tower, connector, newline };
}

function firstPrefixes({ towers, connectors, newlines }: TowerNames): Prefixes {
  const [tower = "", connector = [], newline] = [towers[0], connectors[0], newlines?.[0]];
  return { tower, connector, newline };
}

function isPadded(config: TowerConfig): boolean {
  return patchColumns(config) !== config.channels * config.patchSize ** 2;
}

function rawPatchFloats({ hidden, channels, patchSize }: TowerConfig): number {
  return hidden * channels * patchSize ** 2;
}

/** The patch matrix in f32, zeros for now. */
function paddedPatches(plan: WeightPlan, config: TowerConfig, tower: string): Linear {
  const { hidden: rows, hasPatchBias } = config;
  const columns = patchColumns(config);
  const buffer = plan.vector("patches", [], rows * columns);
  const parts = [{ buffer, firstRow: 0, rows }];
  return {
    matrix: { label: "patches", dtype: "f32", rows, columns, parts },
    bias: plan.vector("patches bias", hasPatchBias ? [`${tower + PATCHES}.bias`] : [], rows),
  };
}

/** Copies the rows of the patch convolution to where the padded matrix has them. */
async function padPatches(
  gpu: Gpu,
  config: TowerConfig,
  raw: GPUBuffer,
  { columns, rows, parts }: Matrix,
): Promise<void> {
  const from = new Float32Array(await gpu.read(raw));
  const used = rawPatchFloats(config) / rows;
  const padded = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    padded.set(from.subarray(row * used, (row + 1) * used), row * columns);
  }
  gpu.device.queue.writeBuffer((parts[0] as Matrix["parts"][0]).buffer, 0, padded);
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
  plan: WeightPlan,
  config: TowerConfig,
  { tower, connector, newline }: Prefixes,
): Omit<TowerWeights, "bytes" | "destroy"> {
  const { hidden, intermediate, width } = config;
  const vector = (name: string, length: number) => plan.vector(name, [name], length);
  const norm = (name: string): Norm => ({
    weight: vector(`${tower}${name}.weight`, hidden),
    bias: vector(`${tower}${name}.bias`, hidden),
  });
  const linear = (name: string, rows: number, hasBias = true): Linear => ({
    matrix: plan.stack(name, [`${name}.weight`]),
    bias: plan.vector(`${name} bias`, hasBias ? [`${name}.bias`] : [], rows),
  });
  return {
    patches: isPadded(config)
      ? paddedPatches(plan, config, tower)
      : linear(tower + PATCHES, hidden, config.hasPatchBias),
    positions: vector(tower + POSITIONS, towerRows(config) * hidden),
    preNorm: config.hasPreNorm ? norm("pre_layrnorm") : undefined,
    layers: Array.from({ length: config.layers }, (_, layer) => {
      const at = `encoder.layers.${layer}.`;
      const attention = `${tower}${at}self_attn.`;
      const qkv = ["q_proj", "k_proj", "v_proj"].map((name) => attention + name);
      const names = (part: string) => qkv.map((name) => `${name}.${part}`);
      return {
        attentionNorm: norm(`${at}layer_norm1`),
        qkv: {
          matrix: plan.stack(`${attention}qkv`, names("weight")),
          bias: plan.vector(`${attention}qkv bias`, names("bias"), 3 * hidden),
        },
        output: linear(`${attention}out_proj`, hidden),
        mlpNorm: norm(`${at}layer_norm2`),
        up: linear(`${tower}${at}mlp.fc1`, intermediate),
        down: linear(`${tower}${at}mlp.fc2`, hidden),
      };
    }),
    finalNorm: config.hasFinalNorm ? norm("post_layernorm") : undefined,
    connector: connector.map((name) => linear(name, width, config.connector.hasBias)),
    newline: newline === undefined ? undefined : vector(newline, width),
  };
}

/** Every tensor that the encoder needs, with its shape. */
function describe(
  config: TowerConfig,
  { tower, connector, newline }: Prefixes,
): readonly (readonly [string, readonly number[]])[] {
  const { hidden, intermediate, channels, patchSize, width } = config;
  const { fold, hasBias } = config.connector;
  const linear = (name: string, [rows, ...columns]: readonly number[], hasBias = true) => [
    [`${name}.weight`, [rows as number, ...columns]] as const,
    ...(hasBias ? [[`${name}.bias`, [rows as number]] as const] : []),
  ];
  const norm = (name: string) => linear(tower + name, [hidden]);
  const layers = Array.from({ length: config.layers }, (_, layer) => {
    const at = `encoder.layers.${layer}.`;
    return [
      ...norm(`${at}layer_norm1`),
      ...norm(`${at}layer_norm2`),
      ...["q_proj", "k_proj", "v_proj", "out_proj"].flatMap((name) =>
        linear(`${tower}${at}self_attn.${name}`, [hidden, hidden]),
      ),
      ...linear(`${tower}${at}mlp.fc1`, [intermediate, hidden]),
      ...linear(`${tower}${at}mlp.fc2`, [hidden, intermediate]),
    ];
  });
  const positions = patchesPerSide(config) ** 2 + Number(config.hasClassToken);
  return [
    ...linear(tower + PATCHES, [hidden, channels, patchSize, patchSize], config.hasPatchBias),
    [tower + POSITIONS, [positions, hidden]],
    ...(config.hasClassToken ? [[tower + CLASS, [hidden]] as const] : []),
    ...(config.hasPreNorm ? norm("pre_layrnorm") : []),
    ...layers.flat(),
    ...(config.hasFinalNorm ? norm("post_layernorm") : []),
    ...connector.flatMap((name, i) =>
      linear(name, [width, i === 0 ? fold ** 2 * hidden : width], hasBias),
    ),
    ...(newline === undefined ? [] : [[newline, [width]] as const]),
  ];
}
