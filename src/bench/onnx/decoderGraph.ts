import type { Matrix } from "@/gpu/kernels/common/matrix";
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
    throw new Error("only plain Llama decoders are written as ONNX");
  }
  const model = new OnnxModel();
  declareInputs(model);
  const tensors = tensorWriter(model, decoder, type);
  const [cos, sin] = rotation(model, decoder, type, positions);
  const [embedding] = (await readMatrix(gpu, weights.embedding)) as [HalfMatrix];
  const table = tensors.matrix("embedding", embedding);
  const embedded = model.node("Gather", "embedded", [table, "input_ids"]);
  const residual = residualStream(model, embedded, config.normEpsilon);
  for (const [at, layer] of weights.layers.entries()) {
    const name = (part: string) => `layer.${at}.${part}`;
    const gain = await tensors.gain(name("gain"), layer.attentionNorm.buffer);
    const normed = residual.norm(name("norm"), gain);
    const qkv = await tensors.factor(name("qkv.weight"), layer.qkv);
    const projected = model.node("MatMul", name("qkv"), [normed, qkv]);
    const mixed = attention(model, decoder, at, { qkv: projected, cos, sin, type });
    const output = await tensors.factor(name("output.weight"), layer.output);
    residual.add(model.node("MatMul", name("output"), [mixed, output]));
    const mlpGain = await tensors.gain(name("mlp.gain"), layer.mlpNormWeight);
    const mlpInput = residual.norm(name("mlp.norm"), mlpGain);
    residual.add(await gatedMlp({ model, tensors, name }, layer, mlpInput));
  }
  const final = residual.norm("final", await tensors.gain("final.gain", weights.finalNormWeight));
  const head =
    weights.head === weights.embedding
      ? tensors.matrix("head.weight", transposed(embedding))
      : await tensors.factor("head.weight", weights.head);
  declareOutputs(model, final, head);
  model.output("logits", type, [1, 1, config.vocabulary]);
  return model.encode();
}

type TensorWriter = ReturnType<typeof tensorWriter>;

/** Writes the decoder's tensors into the file, in `type`. */
function tensorWriter(model: OnnxModel, { config, gpu }: Decoder, type: OnnxFloats) {
  const matrix = (name: string, { rows, columns, values }: HalfMatrix) =>
    model.constant(name, type, [rows, columns], asBytes({ values }, type));
  /** The right factors of products: the matrices' transposes. */
  const factors = async (names: readonly string[], stored: Matrix, isGated = false) => {
    const matrices = await readMatrix(gpu, stored, isGated);
    return names.map((name, at) => matrix(name, transposed(matrices[at] as HalfMatrix)));
  };
  return {
    matrix,
    factor: async (name: string, stored: Matrix) => (await factors([name], stored))[0] as string,
    /** The two factors that are stored as one gated matrix. */
    gateAndUp: async (names: readonly [string, string], stored: Matrix) =>
      (await factors(names, stored, true)) as [gate: string, up: string],
    async gain(name: string, buffer: GPUBuffer) {
      const floats = new Float32Array(await gpu.read(buffer, 0, config.hidden * 4));
      return model.constant(name, type, [config.hidden], inType(floats, type));
    },
  };
}

/** The residual, and norms of it; a result is added by the norm that follows. */
function residualStream(model: OnnxModel, first: string, normEpsilon: number) {
  const epsilon = { f32: normEpsilon };
  let residual = first;
  let added: string | undefined;
  return {
    add(result: string) {
      added = result;
    },
    norm(name: string, weight: string): string {
      if (added === undefined) {
        const attributes = { axis: -1, epsilon };
        return model.node("SimplifiedLayerNormalization", name, [residual, weight], { attributes });
      }
      const sum = `${name}.sum`;
      const options = { outputs: [name, "", "", sum], attributes: { epsilon }, isContrib: true };
      model.node("SkipSimplifiedLayerNormalization", name, [residual, added, weight], options);
      residual = sum;
      return name;
    },
  };
}

/** Where the nodes of a layer go. */
interface GraphPart {
  readonly model: OnnxModel;
  readonly tensors: TensorWriter;
  /** Their names, and those of their weights. */
  readonly name: (part: string) => string;
}

async function gatedMlp(
  { model, tensors, name }: GraphPart,
  layer: Pick<Decoder["weights"]["layers"][number], "gateUp" | "down">,
  input: string,
): Promise<string> {
  const names = [name("gate.weight"), name("up.weight")] as const;
  const [gateWeight, upWeight] = await tensors.gateAndUp(names, layer.gateUp);
  const gate = model.node("MatMul", name("gate"), [input, gateWeight]);
  const up = model.node("MatMul", name("up"), [input, upWeight]);
  const silu = { attributes: { alpha: { f32: 1 } }, isContrib: true };
  const active = model.node("QuickGelu", name("silu"), [gate], silu);
  const inner = model.node("Mul", name("inner"), [active, up]);
  const down = await tensors.factor(name("down.weight"), layer.down);
  return model.node("MatMul", name("down"), [inner, down]);
}

function declareInputs(model: OnnxModel): void {
  model.input("input_ids", "int64", [1, "rows"]);
  model.input("seqlens_k", "int32", [1]);
  model.input("total_sequence_length", "int32", [1]);
}

/** Logits of the last row, and the id of the largest one. */
function declareOutputs(model: OnnxModel, normed: string, head: string): void {
  const index = new Uint8Array(new BigInt64Array([-1n]).buffer);
  const last = model.constant("last", "int64", [1], index);
  const row = model.node("Gather", "last_row", [normed, last], { attributes: { axis: 1 } });
  const logits = model.node("MatMul", "logits", [row, head]);
  model.node("ArgMax", "next", [logits], { attributes: { axis: -1, keepdims: 0 } });
  model.output("next", "int64", [1, 1]);
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
