import type { Gpu } from "@/gpu/gpu";
import type { Matrix } from "@/gpu/kernels/common/matrix";
import { type DecoderConfig, parseConfig } from "@/model/checkpoint/config";
import type { TensorInfo, TensorMap } from "@/model/checkpoint/safetensors";
import { type DecoderWeights, layOutWeights } from "@/model/checkpoint/weights";
import type { WeightType } from "@/model/checkpoint/weightTypes";
import { createFill, type Fill } from "./fill";

/** `config.json` of published models, with weights that are noise: their speed, not their answers. */
const SHAPES = {
  small: shape({ layers: 2, widths: [128, 96], heads: [2, 1], vocabulary: 1000, tied: true }),
  "SmolVLM-256M": shape({
    ...{ layers: 30, widths: [576, 1536], heads: [9, 3], vocabulary: 49_280, tied: true },
  }),
  "Llama-1.1B": shape({ layers: 22, widths: [2048, 5632], heads: [32, 4], vocabulary: 32_000 }),
  "LLaVA-1.5-7B": shape({
    ...{ layers: 32, widths: [4096, 11_008], heads: [32, 32], vocabulary: 32_064 },
  }),
  "LLaVA-OneVision-7B": shape({
    ...{ layers: 28, widths: [3584, 18_944], heads: [28, 4], vocabulary: 152_128 },
  }),
} as const;

export type ShapeName = keyof typeof SHAPES;
export const SHAPE_NAMES = Object.keys(SHAPES) as readonly ShapeName[];

interface Shape {
  readonly layers: number;
  readonly widths: readonly [hidden: number, intermediate: number];
  readonly heads: readonly [heads: number, kvHeads: number];
  readonly vocabulary: number;
  /** Whether the head is the embedding; default: no. */
  readonly tied?: boolean;
}

function shape({ layers, widths, heads, vocabulary, tied = false }: Shape): DecoderConfig {
  const [hidden, intermediate] = widths;
  return parseConfig({
    model_type: "llama",
    num_hidden_layers: layers,
    hidden_size: hidden,
    intermediate_size: intermediate,
    num_attention_heads: heads[0],
    num_key_value_heads: heads[1],
    vocab_size: vocabulary,
    rms_norm_eps: 1e-5,
    max_position_embeddings: 65_536,
    tie_word_embeddings: tied,
    rope_theta: 10_000,
  });
}

/** Biased exponent of the smallest weights: they are between 2⁻⁹ and 2⁻⁵. */
const WEIGHT_EXPONENT = 6;

/** The decoder of a model that is only as large as the published one: its weights are noise. */
export function shapeConfig(name: ShapeName): DecoderConfig {
  return SHAPES[name];
}

/** Weights that are noise, made on the GPU; norms multiply by 1, biases are 0. */
export async function noiseWeights(
  gpu: Gpu,
  config: DecoderConfig,
  weightType: WeightType = "f16",
): Promise<DecoderWeights> {
  const { plan: _, ...laid } = layOutWeights(gpu, config, tensorMap(config), { weightType });
  await gpu.memory.granted();
  const fill = await createFill(gpu);
  const ones = new Float32Array(config.hidden).fill(1);
  const { layers, embedding, head, finalNormWeight } = laid;
  for (const layer of layers) {
    for (const matrix of [layer.qkv, layer.output, layer.gateUp, layer.down]) noise(fill, matrix);
    gpu.device.queue.writeBuffer(layer.attentionNorm.buffer, 0, ones);
    gpu.device.queue.writeBuffer(layer.mlpNormWeight, 0, ones);
  }
  gpu.device.queue.writeBuffer(finalNormWeight, 0, ones);
  for (const matrix of new Set([embedding, head])) noise(fill, matrix);
  await gpu.device.queue.onSubmittedWorkDone();
  return { ...laid, digest: "noise" };
}

function noise(fill: Fill, { parts }: Matrix): void {
  for (const { buffer } of parts) fill(buffer, WEIGHT_EXPONENT);
}

/** The tensors of a checkpoint that does not exist. */
function tensorMap(config: DecoderConfig): TensorMap {
  const map = new Map<string, TensorInfo>();
  let start = 0;
  for (const [name, shape] of tensorsOf(config)) {
    const end = start + shape.reduce((product, size) => product * size, 2);
    map.set(name, { name, file: "model.safetensors", dtype: "F16", shape, start, end });
    start = end;
  }
  return map;
}

function tensorsOf(config: DecoderConfig): (readonly [name: string, dims: readonly number[]])[] {
  const { layers, hidden, intermediate, heads, kvHeads, headDim, vocabulary } = config;
  const perLayer = [
    ["input_layernorm", [hidden]],
    ["self_attn.q_proj", [heads * headDim, hidden]],
    ["self_attn.k_proj", [kvHeads * headDim, hidden]],
    ["self_attn.v_proj", [kvHeads * headDim, hidden]],
    ["self_attn.o_proj", [hidden, heads * headDim]],
    ["post_attention_layernorm", [hidden]],
    ["mlp.gate_proj", [intermediate, hidden]],
    ["mlp.up_proj", [intermediate, hidden]],
    ["mlp.down_proj", [hidden, intermediate]],
  ] as const;
  return [
    ["model.embed_tokens.weight", [vocabulary, hidden]],
    ...Array.from({ length: layers }, (_, layer) =>
      perLayer.map(([name, dims]) => [`model.layers.${layer}.${name}.weight`, dims] as const),
    ).flat(),
    ["model.norm.weight", [hidden]],
    ...(config.isHeadTied ? [] : [["lm_head.weight", [vocabulary, hidden]] as const]),
  ];
}
