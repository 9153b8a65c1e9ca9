import { packF16 } from "@/gpu/packing";
import type { Decoder } from "@/model/decoder/decoder";
import { rotaryAngles, rotaryFrequencies } from "@/model/kv/rotary";
import {
  asBytes,
  type HalfMatrix,
  type OnnxFloats,
  readMatrix,
  transposed,
} from "./decoderTensors";
import { OnnxModel } from "./onnxModel";

/** Names of a layer's caches, inputs and outputs. */
export const cacheNames = (layer: number) =>
  (["key", "value"] as const).map((kind) => ({
    past: `past_key_values.${layer}.${kind}`,
    present: `present.${layer}.${kind}`,
  }));

/**
 * The decoder as an ONNX file with the operators that ONNX Runtime has for language models: grouped-query attention with
 * rotation and a cache, and norms with their residual. Token ids in, the id of the largest logit out.
 *
 * Inputs: `input_ids` int64 [1, rows], `seqlens_k` int32 [1] (rows of the cache after this step, less one),
 * `total_sequence_length` int32 [1], and the caches [1, kvHeads, capacity, headDim].
 * @param positions number of positions that the file knows
 * @throws Error for a decoder that is more than Llama's
 */
export async function decoderGraph(
  decoder: Decoder,
  type: OnnxFloats,
  positions: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const { config, weights, gpu } = decoder;
  if (config.hasQkvBias || config.hasOutputBias || config.hasMlpBias || config.hasHeadNorm) {
    throw new Error("the ONNX lane has plain Llama decoders only");
  }
  const model = new OnnxModel();
  const matrix = ({ rows, columns, values }: HalfMatrix, name: string) =>
    model.constant(name, type, [rows, columns], asBytes({ values }, type));
  const product = async (name: string, read: Promise<HalfMatrix[]>, at = 0) =>
    matrix(transposed((await read)[at] as HalfMatrix), name);
  const gain = async (name: string, buffer: GPUBuffer) => {
    const floats = new Float32Array(await gpu.read(buffer, 0, config.hidden * 4));
    return model.constant(name, type, [config.hidden], inType(floats, type));
  };
  const epsilon = { f32: config.normEpsilon };
  declareInputs(model);
  const [cos, sin] = rotation(model, decoder, type, positions);

  const [embedding] = await readMatrix(gpu, weights.embedding);
  const table = matrix(embedding as HalfMatrix, "embedding");
  let residual = model.node("Gather", "embedded", [table, "input_ids"]);
  let normed = "";
  let added: string | undefined;
  /** The norm of the residual, to which the last result is added first. */
  const norm = (name: string, weight: string) => {
    if (added === undefined) {
      const attributes = { axis: -1, epsilon };
      return model.node("SimplifiedLayerNormalization", name, [residual, weight], { attributes });
    }
    const sum = `${name}.sum`;
    const options = { outputs: [name, "", "", sum], attributes: { epsilon }, isContrib: true };
    model.node("SkipSimplifiedLayerNormalization", name, [residual, added, weight], options);
    residual = sum;
    return name;
  };
  for (const [at, layer] of weights.layers.entries()) {
    const name = (part: string) => `layer.${at}.${part}`;
    normed = norm(name("norm"), await gain(name("gain"), layer.attentionNorm.buffer));
    const qkv = await product(name("qkv.weight"), readMatrix(gpu, layer.qkv));
    const mixed = attention(model, decoder, at, {
      qkv: model.node("MatMul", name("qkv"), [normed, qkv]),
      cos,
      sin,
      type,
    });
    const output = await product(name("output.weight"), readMatrix(gpu, layer.output));
    added = model.node("MatMul", name("output"), [mixed, output]);
    normed = norm(name("mlp.norm"), await gain(name("mlp.gain"), layer.mlpNormWeight));
    const gated = readMatrix(gpu, layer.gateUp, true);
    const gateWeight = await product(name("gate.weight"), gated, 0);
    const upWeight = await product(name("up.weight"), gated, 1);
    const gate = model.node("MatMul", name("gate"), [normed, gateWeight]);
    const up = model.node("MatMul", name("up"), [normed, upWeight]);
    const silu = { attributes: { alpha: { f32: 1 } }, isContrib: true };
    const active = model.node("QuickGelu", name("silu"), [gate], silu);
    const inner = model.node("Mul", name("inner"), [active, up]);
    const down = await product(name("down.weight"), readMatrix(gpu, layer.down));
    added = model.node("MatMul", name("down"), [inner, down]);
  }
  normed = norm("final", await gain("final.gain", weights.finalNormWeight));
  const last = model.constant(
    "last",
    "int64",
    [1],
    new Uint8Array(new BigInt64Array([-1n]).buffer),
  );
  const row = model.node("Gather", "last_row", [normed, last], { attributes: { axis: 1 } });
  const head =
    weights.head === weights.embedding
      ? matrix(transposed(embedding as HalfMatrix), "head.weight")
      : await product("head.weight", readMatrix(gpu, weights.head));
  const logits = model.node("MatMul", "logits", [row, head]);
  model.node("ArgMax", "next", [logits], { attributes: { axis: -1, keepdims: 0 } });
  model.output("next", "int64", [1, 1]);
  model.output("logits", type, [1, 1, config.vocabulary]);
  return model.encode();
}

function declareInputs(model: OnnxModel): void {
  model.input("input_ids", "int64", [1, "rows"]);
  model.input("seqlens_k", "int32", [1]);
  model.input("total_sequence_length", "int32", [1]);
}

/** Cosines and sines [positions, headDim / 2]. */
function rotation(model: OnnxModel, { config }: Decoder, type: OnnxFloats, positions: number) {
  const half = config.headDim / 2;
  const pairs = rotaryAngles(rotaryFrequencies(config), 0, positions);
  return (["cos", "sin"] as const).map((name, at) => {
    const values = Float32Array.from({ length: positions * half }, (_, i) => pairs[2 * i + at]!);
    return model.constant(name, type, [positions, half], inType(values, type));
  }) as [cos: string, sin: string];
}

interface AttentionInputs {
  readonly qkv: string;
  readonly cos: string;
  readonly sin: string;
  readonly type: OnnxFloats;
}

function attention(
  model: OnnxModel,
  { config }: Decoder,
  layer: number,
  { qkv, cos, sin, type }: AttentionInputs,
): string {
  const { heads, kvHeads, headDim } = config;
  const names = cacheNames(layer);
  const dims = [1, kvHeads, "capacity", headDim] as const;
  const past = names.map(({ past: name }) => model.input(name, type, dims));
  for (const { present } of names) model.output(present, type, dims);
  const lengths = ["seqlens_k", "total_sequence_length"];
  const name = `layer.${layer}.attention`;
  return model.node("GroupQueryAttention", name, [qkv, "", "", ...past, ...lengths, cos, sin], {
    outputs: [name, ...names.map(({ present }) => present)],
    attributes: { num_heads: heads, kv_num_heads: kvHeads, do_rotary: 1 },
    isContrib: true,
  });
}

function inType(values: Float32Array<ArrayBuffer>, type: OnnxFloats): Uint8Array {
  return new Uint8Array((type === "float16" ? packF16(values) : values).buffer);
}
