import { randomFloats } from "@/gpu/selfTest/reference";
import type { DecoderConfig } from "@/model/checkpoint/config";
import { safetensors } from "./memorySource";

/** A small Llama-style shape. */
export const SMALL: DecoderConfig = {
  architecture: "LlamaForCausalLM",
  layers: 2,
  hidden: 12,
  intermediate: 20,
  heads: 3,
  kvHeads: 1,
  headDim: 8,
  vocabulary: 33,
  normEpsilon: 1e-5,
  contextLength: 256,
  isHeadTied: false,
  hasQkvBias: true,
  hasOutputBias: true,
  hasMlpBias: true,
  hasHeadNorm: false,
  ropeBase: 10000,
  ropeScaling: { type: "default" },
};

export interface TestTensor {
  readonly shape: readonly number[];
  readonly values: Float32Array<ArrayBuffer>;
}

/** Random f32 tensors of every name that a checkpoint of this shape holds. */
export function randomTensors(config: DecoderConfig): Map<string, TestTensor> {
  const { hidden, intermediate, heads, kvHeads, headDim, vocabulary } = config;
  const tensors = new Map<string, TestTensor>();
  const add = (name: string, ...shape: number[]) => {
    const count = shape.reduce((a, b) => a * b, 1);
    tensors.set(name, { shape, values: randomFloats(count, tensors.size + 1) });
  };
  const linear = (name: string, rows: number, columns: number, hasBias: boolean) => {
    add(`${name}.weight`, rows, columns);
    if (hasBias) add(`${name}.bias`, rows);
  };
  add("model.embed_tokens.weight", vocabulary, hidden);
  for (let layer = 0; layer < config.layers; layer++) {
    const at = `model.layers.${layer}.`;
    add(`${at}input_layernorm.weight`, hidden);
    linear(`${at}self_attn.q_proj`, heads * headDim, hidden, config.hasQkvBias);
    linear(`${at}self_attn.k_proj`, kvHeads * headDim, hidden, config.hasQkvBias);
    linear(`${at}self_attn.v_proj`, kvHeads * headDim, hidden, config.hasQkvBias);
    linear(`${at}self_attn.o_proj`, hidden, heads * headDim, config.hasOutputBias);
    add(`${at}post_attention_layernorm.weight`, hidden);
    linear(`${at}mlp.gate_proj`, intermediate, hidden, config.hasMlpBias);
    linear(`${at}mlp.up_proj`, intermediate, hidden, config.hasMlpBias);
    linear(`${at}mlp.down_proj`, hidden, intermediate, config.hasMlpBias);
  }
  add("model.norm.weight", hidden);
  if (!config.isHeadTied) add("lm_head.weight", vocabulary, hidden);
  return tensors;
}

/** A safetensors file of f32 tensors. */
export function checkpoint(tensors: ReadonlyMap<string, TestTensor>): Uint8Array<ArrayBuffer> {
  const header: Record<string, object> = {};
  let end = 0;
  for (const [name, { shape, values }] of tensors) {
    header[name] = { dtype: "F32", shape, data_offsets: [end, end + values.byteLength] };
    end += values.byteLength;
  }
  const file = safetensors(header, end);
  let at = file.length - end;
  for (const { values } of tensors.values()) {
    file.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), at);
    at += values.byteLength;
  }
  return file;
}
