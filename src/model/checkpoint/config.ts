import { shown } from "@/text/shown";
import { FAMILIES, familyOf } from "../families/registry";
import { ModelError } from "../modelError";

/** How rotary frequencies are derived from the base. */
export type RopeScaling =
  | { readonly type: "default" }
  | { readonly type: "linear"; readonly factor: number }
  | {
      readonly type: "llama3";
      readonly factor: number;
      readonly lowFreqFactor: number;
      readonly highFreqFactor: number;
      readonly originalContext: number;
    };

/** Shape and constants of a Llama-style decoder. */
export interface DecoderConfig {
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
  readonly ropeBase: number;
  readonly ropeScaling: RopeScaling;
}

type Json = { readonly [key: string]: unknown };

/** `model_type`s of decoders, alone or in a family's container. */
const DECODERS: readonly string[] = ["llama", "mistral", "qwen2", "qwen3"];

/**
 * Reads a Hub `config.json`. Absent fields have the defaults of `transformers`.
 * @throws ModelError naming the unsupported feature or the invalid field.
 */
export function parseConfig(json: unknown): DecoderConfig {
  if (typeof json !== "object" || json === null) throw bad("config.json holds no JSON object.");
  const top = json as Json;
  const text = (object(top, "text_config") ?? top) as Json;
  const architecture = nameOf(top);
  const decoder = String(text.model_type ?? "llama");
  if ((text !== top && !familyOf(top)) || !DECODERS.includes(decoder)) {
    const over = text === top ? "" : ` over ${decoder}`;
    const titles = FAMILIES.map(({ title }) => title).join(", ");
    throw unknown(`The architecture ${architecture}${over} is not supported; ${titles} are.`);
  }
  refuse(text, architecture);

  const heads = count(text, "num_attention_heads", 32);
  const hidden = count(text, "hidden_size", 4096);
  const isMistral = decoder === "mistral";
  const isQwen3 = decoder === "qwen3";
  const hasBias = text.attention_bias === true;
  const config: DecoderConfig = {
    architecture,
    layers: count(text, "num_hidden_layers", 32),
    hidden,
    intermediate: count(text, "intermediate_size", isMistral ? 14336 : 11008),
    heads,
    kvHeads: count(text, "num_key_value_heads", isMistral ? 8 : heads),
    headDim: count(text, "head_dim", isQwen3 ? 128 : hidden / heads),
    vocabulary: count(text, "vocab_size", 32000),
    normEpsilon: positive(text, "rms_norm_eps", 1e-6),
    contextLength: count(text, "max_position_embeddings", 2048),
    isHeadTied: Boolean(top.tie_word_embeddings ?? text.tie_word_embeddings ?? false),
    hasQkvBias: hasBias || decoder === "qwen2",
    hasOutputBias: hasBias && decoder !== "qwen2",
    hasMlpBias: text.mlp_bias === true,
    hasHeadNorm: isQwen3,
    ...rope(text, architecture),
  };
  return checked(config);
}

/** Refuses, by name, features that would run but give wrong results. */
function refuse(text: Json, architecture: string): void {
  const activation = text.hidden_act ?? "silu";
  if (activation !== "silu") {
    throw unknown(`The activation ${shown(activation)} of ${architecture} is not supported.`);
  }
  const kinds = Array.isArray(text.layer_types) ? text.layer_types : [];
  const other = kinds.find((kind) => kind !== "full_attention");
  if (other !== undefined) {
    throw unknown(`Layers of the kind ${shown(other)}, in ${architecture}, are not supported.`);
  }
  if (text.use_sliding_window === true || hasShortWindow(text)) {
    throw unknown(`Sliding-window attention, in ${architecture}, is not supported.`);
  }
  if (text.model_type === "qwen3" && text.attention_bias === true) {
    throw unknown(
      `Biases before norms of queries and keys, in ${architecture}, are not supported.`,
    );
  }
  if ((text.partial_rotary_factor ?? ropeFields(text).partial_rotary_factor ?? 1) !== 1) {
    throw unknown(`Rotating a part of each head, in ${architecture}, is not supported.`);
  }
}

/** Mistral's window is 4096 rows unless the file says otherwise; null is none. */
function hasShortWindow(text: Json): boolean {
  if (text.model_type !== "mistral") return false;
  const window = text.sliding_window === undefined ? 4096 : text.sliding_window;
  return typeof window === "number" && window < count(text, "max_position_embeddings", 131072);
}

/** Of two objects with rotary settings the older name wins, as in `transformers` 5. */
function ropeFields(text: Json): Json {
  return object(text, "rope_scaling") ?? object(text, "rope_parameters") ?? {};
}

function rope(text: Json, architecture: string): Pick<DecoderConfig, "ropeBase" | "ropeScaling"> {
  const fields = ropeFields(text);
  const base = { ...text, ...fields };
  const ropeBase = positive(base, "rope_theta", 10000);
  const type = String(fields.rope_type ?? fields.type ?? "default");
  // NTK scaling begins beyond the native length, where a prompt is refused.
  if (type === "dynamic") return { ropeBase, ropeScaling: { type: "default" } };
  if (type === "default" && fields.mrope_section === undefined) {
    return { ropeBase, ropeScaling: { type } };
  }
  if (type === "linear") {
    return { ropeBase, ropeScaling: { type, factor: positive(fields, "factor") } };
  }
  if (type === "llama3") {
    return {
      ropeBase,
      ropeScaling: {
        type,
        factor: positive(fields, "factor"),
        lowFreqFactor: positive(fields, "low_freq_factor"),
        highFreqFactor: positive(fields, "high_freq_factor"),
        originalContext: count(fields, "original_max_position_embeddings"),
      },
    };
  }
  const name = type === "default" ? "mrope" : type;
  throw unknown(`The rotary scaling ${shown(name)} of ${architecture} is not supported.`);
}

function checked(config: DecoderConfig): DecoderConfig {
  for (const name of ["hidden", "intermediate", "headDim"] as const) {
    if (config[name] % 4 !== 0) {
      throw unknown(`Sizes must be multiples of 4, but ${name} is ${config[name]}.`);
    }
  }
  if (config.heads % config.kvHeads !== 0) {
    throw bad(`config.json has ${config.heads} heads over ${config.kvHeads} KV heads.`);
  }
  return config;
}

function nameOf(top: Json): string {
  const names = top.architectures;
  const first = Array.isArray(names) ? names[0] : undefined;
  return shown(first ?? top.model_type ?? "without a name");
}

function object(from: Json, name: string): Json | undefined {
  const value = from[name];
  return typeof value === "object" && value !== null ? (value as Json) : undefined;
}

function positive(from: Json, name: string, fallback?: number): number {
  const value = from[name] ?? fallback;
  if (typeof value === "number" && value > 0 && Number.isFinite(value)) return value;
  throw bad(`The field ${name} of config.json is ${shown(value)}, not a positive number.`);
}

function count(from: Json, name: string, fallback?: number): number {
  const value = positive(from, name, fallback);
  if (Number.isInteger(value)) return value;
  throw bad(`The field ${name} of config.json is ${value}, not a whole number.`);
}

function bad(message: string): ModelError {
  return new ModelError("badModel", message);
}

function unknown(message: string): ModelError {
  return new ModelError("unknownArchitecture", message);
}
