import { shown } from "@/text/shown";
import { FAMILIES, familyOf } from "../families/registry";
import {
  badConfig,
  type ConfigFields,
  countField,
  objectField,
  positiveField,
  unsupported,
} from "./configFields";
import { type RopeConfig, ropeConfig, ropeFields } from "./ropeConfig";

/** Shape and constants of a Llama-style decoder. */
export interface DecoderConfig extends RopeConfig {
  /** As the file names it. */
  readonly architecture: string;
  readonly layers: number;
  readonly hidden: number;
  readonly intermediate: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly vocabulary: number;
  readonly normEpsilon: number;
  readonly contextLength: number;
  /** Whether the output head shares the embedding table. */
  readonly isHeadTied: boolean;
  /** Biases on queries, keys and values. */
  readonly hasQkvBias: boolean;
  /** A bias on the attention's output projection. */
  readonly hasOutputBias: boolean;
  readonly hasMlpBias: boolean;
  /** An RMS norm of every query and key over its head, before the rotation. */
  readonly hasHeadNorm: boolean;
}

/** What `model_type`, alone or in a family's container, says about a decoder. */
interface DecoderKind {
  readonly isMistral?: boolean;
  /** Biases on queries, keys and values, whatever `attention_bias` says. */
  readonly hasQkvBias?: boolean;
  readonly hasHeadNorm?: boolean;
}

const QWEN2: DecoderKind = { hasQkvBias: true };
const QWEN3: DecoderKind = { hasHeadNorm: true };

const DECODERS: Readonly<Record<string, DecoderKind>> = {
  llama: {},
  mistral: { isMistral: true },
  qwen2: QWEN2,
  qwen2_vl: QWEN2,
  qwen2_vl_text: QWEN2,
  qwen2_5_vl: QWEN2,
  qwen2_5_vl_text: QWEN2,
  qwen3: QWEN3,
  qwen3_vl_text: QWEN3,
};

/**
 * Reads a Hub `config.json`. Absent fields have the defaults of `transformers`.
 * @throws ModelError naming the unsupported feature or the invalid field.
 */
export function parseConfig(json: unknown): DecoderConfig {
  if (typeof json !== "object" || json === null)
    throw badConfig("config.json holds no JSON object.");
  const top = json as ConfigFields;
  const text = (objectField(top, "text_config") ?? top) as ConfigFields;
  const architecture = nameOf(top);
  const decoder = shown(text.model_type ?? "llama");
  const kind = Object.hasOwn(DECODERS, decoder) ? DECODERS[decoder] : undefined;
  if ((text !== top && !familyOf(top)) || !kind) {
    const over = text === top ? "" : ` over ${decoder}`;
    const titles = FAMILIES.map(({ title }) => title).join(", ");
    throw unsupported(`The architecture ${architecture}${over} is not supported; ${titles} are.`);
  }
  refuse(text, kind, architecture);

  const heads = countField(text, "num_attention_heads", 32);
  const hidden = countField(text, "hidden_size", 4096);
  const { isMistral = false, hasQkvBias = false, hasHeadNorm = false } = kind;
  const hasBias = text.attention_bias === true;
  const config: DecoderConfig = {
    architecture,
    layers: layersOf(text),
    hidden,
    intermediate: countField(text, "intermediate_size", isMistral ? 14336 : 11008),
    heads,
    kvHeads: countField(text, "num_key_value_heads", isMistral ? 8 : heads),
    headDim: countField(text, "head_dim", hasHeadNorm ? 128 : hidden / heads),
    vocabulary: countField(text, "vocab_size", 32000),
    normEpsilon: positiveField(text, "rms_norm_eps", 1e-6),
    contextLength: countField(text, "max_position_embeddings", 2048),
    isHeadTied: Boolean(top.tie_word_embeddings ?? text.tie_word_embeddings ?? false),
    hasQkvBias: hasBias || hasQkvBias,
    hasOutputBias: hasBias && !hasQkvBias,
    hasMlpBias: text.mlp_bias === true,
    hasHeadNorm,
    ...ropeConfig(text, architecture),
  };
  return checked(config);
}

/** Refuses, by name, features that would run but give wrong results. */
function refuse(text: ConfigFields, kind: DecoderKind, architecture: string): void {
  const activation = text.hidden_act ?? "silu";
  if (activation !== "silu") {
    throw unsupported(`The activation ${shown(activation)} of ${architecture} is not supported.`);
  }
  const kinds = Array.isArray(text.layer_types) ? text.layer_types : [];
  const other = kinds.find((kind) => kind !== "full_attention");
  if (other !== undefined) {
    throw unsupported(`Layers of the kind ${shown(other)}, in ${architecture}, are not supported.`);
  }
  if (text.use_sliding_window === true || (kind.isMistral && hasShortWindow(text))) {
    throw unsupported(`Sliding-window attention, in ${architecture}, is not supported.`);
  }
  if (kind.hasHeadNorm && text.attention_bias === true) {
    throw unsupported(
      `Biases before norms of queries and keys, in ${architecture}, are not supported.`,
    );
  }
  if ((text.partial_rotary_factor ?? ropeFields(text).partial_rotary_factor ?? 1) !== 1) {
    throw unsupported(`Rotating a part of each head, in ${architecture}, is not supported.`);
  }
}

/** Mistral's window is 4096 rows unless the file says otherwise; null is none. */
function hasShortWindow(text: ConfigFields): boolean {
  const window = text.sliding_window === undefined ? 4096 : text.sliding_window;
  return typeof window === "number" && window < countField(text, "max_position_embeddings", 131072);
}

function checked(config: DecoderConfig): DecoderConfig {
  for (const name of ["hidden", "intermediate", "headDim"] as const) {
    if (config[name] % 4 !== 0) {
      throw unsupported(`Sizes must be multiples of 4, but ${name} is ${config[name]}.`);
    }
  }
  const pairs = config.ropeAxes?.sections.reduce((sum, section) => sum + section, 0);
  if (pairs !== undefined && pairs !== config.headDim / 2) {
    throw badConfig(
      `The field mrope_section of config.json is not for heads of ${config.headDim}.`,
    );
  }
  if (config.heads % config.kvHeads !== 0) {
    throw badConfig(
      `The model's config.json has ${config.heads} heads over ${config.kvHeads} KV heads.`,
    );
  }
  return config;
}

function nameOf(top: ConfigFields): string {
  const names = top.architectures;
  const first = Array.isArray(names) ? names[0] : undefined;
  return shown(first ?? top.model_type ?? "without a name");
}

/** More than any decoder has; lists of a configuration's layers are made before its weights are seen. */
const MOST_LAYERS = 1024;

function layersOf(text: ConfigFields): number {
  const layers = countField(text, "num_hidden_layers", 32);
  if (layers <= MOST_LAYERS) return layers;
  throw badConfig(`The model's config.json names ${layers} layers; ${MOST_LAYERS} are the limit.`);
}
