import type { Gpu } from "@/gpu/gpu";
import type { Matrix } from "@/gpu/kernels/common/matrix";
import type { ByteSource, ReadOptions } from "../checkpoint/byteSource";
import { readTensorMap } from "../checkpoint/safetensors";
import { type LoadPlanOptions, WeightPlan } from "../checkpoint/weightPlan";
import { patchesPerSide, type TowerConfig } from "./towerConfig";

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
  /** f32 [patches of an image, hidden] */
  readonly positions: GPUBuffer;
  readonly layers: readonly TowerLayer[];
  readonly finalNorm: Norm;
  /** [width, fold² × hidden] */
  readonly connector: Linear;
  readonly bytes: number;
  destroy(): void;
}

const PREFIXES: readonly string[] = ["model.", ""];
const TOWER = "vision_model.";
const CONNECTOR = "connector.modality_projection.proj";

/** Whether a checkpoint's safetensors hold the vision encoder. */
export async function hasTowerWeights(source: ByteSource, options: ReadOptions): Promise<boolean> {
  const tensors = await readTensorMap(source, options);
  return PREFIXES.some((prefix) => tensors.has(`${prefix}${CONNECTOR}.weight`));
}

/**
 * Loads the vision encoder of an Idefics3 or SmolVLM checkpoint from its own safetensors.
 * @throws ModelError if a tensor is missing or different, before anything is allocated.
 */
export async function loadTowerWeights(
  gpu: Gpu,
  config: TowerConfig,
  source: ByteSource,
  options: LoadPlanOptions = {},
): Promise<TowerWeights> {
  const tensors = await readTensorMap(source, options);
  const prefix = PREFIXES.find((start) => tensors.has(`${start}${CONNECTOR}.weight`)) ?? "";
  const { maxStorageBufferBindingSize, maxBufferSize } = gpu.device.limits;
  const bindingBytes = Math.min(maxStorageBufferBindingSize, maxBufferSize);
  const plan = new WeightPlan(gpu, tensors, prefix, bindingBytes);
  plan.check(describe(config), []);
  const weights = layOut(plan, config);
  await plan.load(source, options);
  return { ...weights, bytes: plan.bytes, destroy: () => plan.destroy() };
}

function layOut(plan: WeightPlan, config: TowerConfig): Omit<TowerWeights, "bytes" | "destroy"> {
  const { hidden, intermediate, width } = config;
  const vector = (name: string, length: number) => plan.vector(name, [name], length);
  const norm = (name: string): Norm => ({
    weight: vector(`${name}.weight`, hidden),
    bias: vector(`${name}.bias`, hidden),
  });
  const linear = (name: string, rows: number): Linear => ({
    matrix: plan.stack(name, [`${name}.weight`]),
    bias: vector(`${name}.bias`, rows),
  });
  const embeddings = `${TOWER}embeddings.`;
  return {
    patches: linear(`${embeddings}patch_embedding`, hidden),
    positions: vector(
      `${embeddings}position_embedding.weight`,
      patchesPerSide(config) ** 2 * hidden,
    ),
    layers: Array.from({ length: config.layers }, (_, layer) => {
      const at = `${TOWER}encoder.layers.${layer}.`;
      const qkv = ["q_proj", "k_proj", "v_proj"].map((name) => `${at}self_attn.${name}`);
      return {
        attentionNorm: norm(`${at}layer_norm1`),
        qkv: {
          matrix: plan.stack(
            `${at}qkv`,
            qkv.map((name) => `${name}.weight`),
          ),
          bias: plan.vector(
            `${at}qkv bias`,
            qkv.map((name) => `${name}.bias`),
            3 * hidden,
          ),
        },
        output: linear(`${at}self_attn.out_proj`, hidden),
        mlpNorm: norm(`${at}layer_norm2`),
        up: linear(`${at}mlp.fc1`, intermediate),
        down: linear(`${at}mlp.fc2`, hidden),
      };
    }),
    finalNorm: norm(`${TOWER}post_layernorm`),
    connector: {
      matrix: plan.stack(CONNECTOR, [`${CONNECTOR}.weight`]),
      bias: plan.vector(`${CONNECTOR} bias`, [], width),
    },
  };
}

/** Every tensor that the encoder needs, with its shape; names without the prefix. */
function describe(config: TowerConfig): readonly (readonly [string, readonly number[]])[] {
  const { hidden, intermediate, channels, patchSize, fold, width } = config;
  const vectors = (name: string, length: number) =>
    [
      [`${name}.weight`, [length]],
      [`${name}.bias`, [length]],
    ] as const;
  const linear = (name: string, rows: number, ...columns: number[]) =>
    [
      [`${name}.weight`, [rows, ...columns]],
      [`${name}.bias`, [rows]],
    ] as const;
  const layers = Array.from({ length: config.layers }, (_, layer) => {
    const at = `${TOWER}encoder.layers.${layer}.`;
    return [
      ...vectors(`${at}layer_norm1`, hidden),
      ...vectors(`${at}layer_norm2`, hidden),
      ...["q_proj", "k_proj", "v_proj", "out_proj"].flatMap((name) =>
        linear(`${at}self_attn.${name}`, hidden, hidden),
      ),
      ...linear(`${at}mlp.fc1`, intermediate, hidden),
      ...linear(`${at}mlp.fc2`, hidden, intermediate),
    ];
  });
  return [
    ...linear(`${TOWER}embeddings.patch_embedding`, hidden, channels, patchSize, patchSize),
    [`${TOWER}embeddings.position_embedding.weight`, [patchesPerSide(config) ** 2, hidden]],
    ...layers.flat(),
    ...vectors(`${TOWER}post_layernorm`, hidden),
    [`${CONNECTOR}.weight`, [width, fold ** 2 * hidden]],
  ];
}
