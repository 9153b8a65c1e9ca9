import type { Gpu } from "@/gpu/gpu";
import type { DType } from "@/gpu/kernels/common/dtype";
import type { Matrix } from "@/gpu/kernels/common/matrix";
import { ModelError } from "../modelError";
import type { ByteSource } from "./byteSource";
import type { DecoderConfig } from "./config";
import { readTensorMap, type TensorMap } from "./safetensors";
import { checkLayerCount } from "./weightCheck";
import { WeightPlan } from "./weightPlan";
import { decoderTypes, type WeightType } from "./weightTypes";
import type { UploadOptions } from "./weightUpload";

/** The weight of a norm and a bias in one buffer, because a kernel has at most eight bindings. */
interface NormWeightAndBias {
  readonly buffer: GPUBuffer;
  /** Word where the bias starts; a multiple of 64, so that the bias can be bound by itself. */
  readonly biasFirst: number;
}

export interface LayerWeights {
  /** Weight of the norm before attention [hidden], bias of q, k, v [(heads + 2 kvHeads) × headDim]. */
  readonly attentionNorm: NormWeightAndBias;
  /** [(heads + 2 kvHeads) × headDim, hidden] */
  readonly qkv: Matrix;
  /** f32 [2, headDim]: weights of the norms of queries and of keys. */
  readonly headNorm: GPUBuffer | undefined;
  /** [hidden, heads × headDim] */
  readonly output: Matrix;
  /** f32 [hidden] */
  readonly outputBias: GPUBuffer;
  /** f32 [hidden] */
  readonly mlpNormWeight: GPUBuffer;
  /** Gated: [intermediate, hidden] twice. */
  readonly gateUp: Matrix;
  /** f32 [2, intermediate] */
  readonly gateUpBias: GPUBuffer;
  /** [hidden, intermediate] */
  readonly down: Matrix;
  /** f32 [hidden] */
  readonly downBias: GPUBuffer;
}

/** How the decoder's matrices are held, by their place; layers may differ. */
export type DecoderTypes = Readonly<
  Record<"embedding" | "qkv" | "output" | "gateUp" | "down" | "head", readonly DType[]>
>;

/** The language model's tensors on the GPU. */
export interface DecoderWeights {
  /** SHA-256 of the decoder's tensors, in hexadecimal: the identity of the weights. */
  readonly digest: string;
  /** Of the first layer's projection of queries, keys and values: most others are like it. */
  readonly dtype: DType;
  /** Parameters of the language model; a tied head counts once. */
  readonly parameters: number;
  /** Number of bytes read. */
  readonly bytes: number;
  /** [vocabulary, hidden] */
  readonly embedding: Matrix;
  readonly layers: readonly LayerWeights[];
  /** f32 [hidden] */
  readonly finalNormWeight: GPUBuffer;
  /** [vocabulary, hidden]; the embedding itself if the head is tied. */
  readonly head: Matrix;
  destroy(): void;
}

export interface LoadWeightsOptions extends UploadOptions {
  /** Largest part of a matrix in bytes; default: the device's binding limit. */
  readonly bindingBytes?: number;
  /** How matrices of 16 or 32 bits are held; default: as stored. */
  readonly weightType?: WeightType | undefined;
  /** Called when the headers are read, before the tensors are: kernels can compile meanwhile. */
  readonly onTypes?: (types: DecoderTypes) => void;
}

/** Prefixes of the decoder's tensors: SmolVLM and Idefics3 (MLX's last), LLaVA-like containers, bare models. */
const PREFIXES: readonly string[] = [
  "model.text_model.",
  "text_model.",
  "language_model.model.",
  "model.language_model.",
  "language_model.",
  "model.",
];
const HEADS: readonly string[] = ["lm_head.weight", "language_model.lm_head.weight"];

/**
 * Reads headers, checks every tensor that the decoder needs, then loads only those.
 * @throws ModelError if a tensor is missing or different, before anything is allocated.
 */
export async function loadWeights(
  gpu: Gpu,
  config: DecoderConfig,
  source: ByteSource,
  options: LoadWeightsOptions = {},
): Promise<DecoderWeights> {
  const { signal, onProgress, readBytes, onTypes } = options;
  const tensors = await readTensorMap(source, { signal });
  const { plan, ...laid } = layOutWeights(gpu, config, tensors, options);
  onTypes?.(typesOf(laid));
  const digest = await plan.load(source, { signal, onProgress, readBytes });
  return { ...laid, digest };
}

/**
 * Checks the tensors and allocates their buffers, all zero; `plan` can load them.
 * @throws ModelError, OutOfMemoryError
 */
export function layOutWeights(
  gpu: Gpu,
  config: DecoderConfig,
  tensors: TensorMap,
  { bindingBytes, weightType }: Pick<LoadWeightsOptions, "bindingBytes" | "weightType"> = {},
): Omit<DecoderWeights, "digest"> & { readonly plan: WeightPlan } {
  const prefix = PREFIXES.find((start) => tensors.has(`${start}embed_tokens.weight`));
  if (prefix === undefined) {
    throw new ModelError("badModel", "The model's weights lack the tensor embed_tokens.weight.");
  }
  checkLayerCount(config.layers, tensors);
  const typeOf = decoderTypes(weightType);
  const plan = new WeightPlan(gpu, { tensors, prefix, bindingBytes, typeOf });
  const headName = tensors.has(HEADS[1] as string) ? HEADS[1] : HEADS[0];
  const loaded = gpu.memory.allOrNothing(() => layOut(plan, config, headName));
  return { ...loaded, bytes: plan.bytes, destroy: () => plan.destroy(), plan };
}

/** The types of a decoder's matrices, each once per place. */
export function typesOf({
  embedding,
  layers,
  head,
}: Pick<DecoderWeights, "embedding" | "layers" | "head">): DecoderTypes {
  const of = (matrix: (layer: LayerWeights) => Matrix) => [
    ...new Set(layers.map((layer) => matrix(layer).dtype)),
  ];
  return {
    embedding: [embedding.dtype],
    qkv: of(({ qkv }) => qkv),
    output: of(({ output }) => output),
    gateUp: of(({ gateUp }) => gateUp),
    down: of(({ down }) => down),
    head: [head.dtype],
  };
}

function layOut(plan: WeightPlan, config: DecoderConfig, headName = "lm_head.weight") {
  const { layers, hidden, vocabulary, isHeadTied } = config;
  const inside = decoderTensors(config).filter(([name]) => name !== HEADS[0]);
  plan.check(inside, isHeadTied ? [] : [[headName, [vocabulary, hidden]]]);
  const embedding = plan.stack("embedding", ["embed_tokens.weight"]);
  const laid = Array.from({ length: layers }, (_, layer) => layOutLayer(plan, config, layer));
  return {
    dtype: laid[0]?.qkv.dtype ?? embedding.dtype,
    parameters: plan.parameters,
    embedding,
    layers: laid,
    finalNormWeight: plan.vector("final norm weight", ["norm.weight"], hidden),
    head: isHeadTied ? embedding : plan.stack("head", [headName]),
  };
}

function layOutLayer(plan: WeightPlan, config: DecoderConfig, layer: number): LayerWeights {
  const { hidden, intermediate, headDim, hasQkvBias, hasOutputBias, hasMlpBias } = config;
  const at = `layers.${layer}.`;
  const attention = `${at}self_attn.`;
  const qkv = ["q_proj", "k_proj", "v_proj"].map((name) => `${attention}${name}`);
  const gateUp = [`${at}mlp.gate_proj`, `${at}mlp.up_proj`] as const;
  const biases = (has: boolean, names: readonly string[]) =>
    has ? names.map((name) => `${name}.bias`) : [];
  const biasFirst = Math.ceil(hidden / 64) * 64;
  const rows = (config.heads + 2 * config.kvHeads) * headDim;
  const names = [`${at}input_layernorm.weight`, ...biases(hasQkvBias, qkv)];
  const headNorms = [`${attention}q_norm.weight`, `${attention}k_norm.weight`];
  return {
    attentionNorm: {
      buffer: plan.vector(`attention norm ${layer}`, names, biasFirst + rows, biasFirst),
      biasFirst,
    },
    qkv: plan.stack(
      `qkv ${layer}`,
      qkv.map((name) => `${name}.weight`),
      headDim,
    ),
    headNorm: config.hasHeadNorm
      ? plan.vector(`head norm ${layer}`, headNorms, 2 * headDim)
      : undefined,
    output: plan.stack(`output ${layer}`, [`${attention}o_proj.weight`]),
    outputBias: plan.vector(
      `output bias ${layer}`,
      biases(hasOutputBias, [`${attention}o_proj`]),
      hidden,
    ),
    mlpNormWeight: plan.vector(
      `mlp norm weight ${layer}`,
      [`${at}post_attention_layernorm.weight`],
      hidden,
    ),
    gateUp: plan.gated(`gate up ${layer}`, `${gateUp[0]}.weight`, `${gateUp[1]}.weight`),
    gateUpBias: plan.vector(`gate up bias ${layer}`, biases(hasMlpBias, gateUp), 2 * intermediate),
    down: plan.stack(`down ${layer}`, [`${at}mlp.down_proj.weight`]),
    downBias: plan.vector(`down bias ${layer}`, biases(hasMlpBias, [`${at}mlp.down_proj`]), hidden),
  };
}

/** Every tensor that the decoder needs, with its shape; names without the prefix. */
export function decoderTensors(
  config: DecoderConfig,
): readonly (readonly [string, readonly number[]])[] {
  const { hidden, intermediate, heads, kvHeads, headDim, vocabulary } = config;
  const { hasQkvBias, hasOutputBias, hasMlpBias } = config;
  const linear = (name: string, rows: number, columns: number, hasBias: boolean) =>
    [
      [`${name}.weight`, [rows, columns]],
      ...(hasBias ? [[`${name}.bias`, [rows]] as const] : []),
    ] as const;
  const layers = Array.from({ length: config.layers }, (_, layer) => {
    const at = `layers.${layer}.`;
    const attention = `${at}self_attn.`;
    return [
      [`${at}input_layernorm.weight`, [hidden]] as const,
      [`${at}post_attention_layernorm.weight`, [hidden]] as const,
      ...(config.hasHeadNorm ? [`${attention}q_norm`, `${attention}k_norm`] : []).map(
        (name) => [`${name}.weight`, [headDim]] as const,
      ),
      ...linear(`${attention}q_proj`, heads * headDim, hidden, hasQkvBias),
      ...linear(`${attention}k_proj`, kvHeads * headDim, hidden, hasQkvBias),
      ...linear(`${attention}v_proj`, kvHeads * headDim, hidden, hasQkvBias),
      ...linear(`${attention}o_proj`, hidden, heads * headDim, hasOutputBias),
      ...linear(`${at}mlp.gate_proj`, intermediate, hidden, hasMlpBias),
      ...linear(`${at}mlp.up_proj`, intermediate, hidden, hasMlpBias),
      ...linear(`${at}mlp.down_proj`, hidden, intermediate, hasMlpBias),
    ];
  });
  return [
    ["embed_tokens.weight", [vocabulary, hidden]],
    ["norm.weight", [hidden]],
    ...layers.flat(),
    ...(config.isHeadTied ? [] : [[HEADS[0] as string, [vocabulary, hidden]] as const]),
  ];
}
