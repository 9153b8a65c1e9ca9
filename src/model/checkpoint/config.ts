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

/** Multimodal rotary positions (M-RoPE, https://arxiv.org/abs/2409.12191): each pair has one of three axes. */
export interface RopeAxes {
  /** Pairs of time, height and width. */
  readonly sections: readonly [time: number, height: number, width: number];
  /** Whether the axes take turns (Qwen3-VL), or follow each other. */
  readonly isInterleaved: boolean;
}

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
  /** How three axes share the rotated pairs; absent: there is one axis. */
  readonly ropeAxes?: RopeAxes;
}

type Json = { readonly [key: string]: unknown };

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
  if (typeof json !== "object" || json === null) throw bad("config.json holds no JSON object.");
  const top = json as Json;
  const text = (object(top, "text_config") ?? top) as Json;
  const architecture = nameOf(top);
  const decoder = shown(text.model_type ?? "llama");
  const kind = Object.hasOwn(DECODERS, decoder) ? DECODERS[decoder] : undefined;
  if ((text !== top && !familyOf(top)) || !kind) {
    const over = text === top ? "" : ` over ${decoder}`;
    const titles = FAMILIES.map(({ title }) => title).join(", ");
    throw unknown(`The architecture ${architecture}${over} is not supported; ${titles} are.`);
  }
  refuse(text, kind, architecture);

  const heads = count(text, "num_attention_heads", 32);
  const hidden = count(text, "hidden_size", 4096);
  const { isMistral = false, hasQkvBias = false, hasHeadNorm = false } = kind;
  const hasBias = text.attention_bias === true;
  const config: DecoderConfig = {
    architecture,
    layers: layersOf(text),
    hidden,
    intermediate: count(text, "intermediate_size", isMistral ? 14336 : 11008),
    heads,
    kvHeads: count(text, "num_key_value_heads", isMistral ? 8 : heads),
    headDim: count(text, "head_dim", hasHeadNorm ? 128 : hidden / heads),
    vocabulary: count(text, "vocab_size", 32000),
    normEpsilon: positive(text, "rms_norm_eps", 1e-6),
    contextLength: count(text, "max_position_embeddings", 2048),
    isHeadTied: Boolean(top.tie_word_embeddings ?? text.tie_word_embeddings ?? false),
    hasQkvBias: hasBias || hasQkvBias,
    hasOutputBias: hasBias && !hasQkvBias,
    hasMlpBias: text.mlp_bias === true,
    hasHeadNorm,
    ...rope(text, architecture),
  };
  return checked(config);
}

/** Refuses, by name, features that would run but give wrong results. */
function refuse(text: Json, kind: DecoderKind, architecture: string): void {
  const activation = text.hidden_act ?? "silu";
  if (activation !== "silu") {
    throw unknown(`The activation ${shown(activation)} of ${architecture} is not supported.`);
  }
  const kinds = Array.isArray(text.layer_types) ? text.layer_types : [];
  const other = kinds.find((kind) => kind !== "full_attention");
  if (other !== undefined) {
    throw unknown(`Layers of the kind ${shown(other)}, in ${architecture}, are not supported.`);
  }
  if (text.use_sliding_window === true || (kind.isMistral && hasShortWindow(text))) {
    throw unknown(`Sliding-window attention, in ${architecture}, is not supported.`);
  }
  if (kind.hasHeadNorm && text.attention_bias === true) {
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
  const window = text.sliding_window === undefined ? 4096 : text.sliding_window;
  return typeof window === "number" && window < count(text, "max_position_embeddings", 131072);
}

/** Of two objects with rotary settings the older name wins, as in `transformers` 5. */
function ropeFields(text: Json): Json {
  return object(text, "rope_scaling") ?? object(text, "rope_parameters") ?? {};
}

function rope(
  text: Json,
  architecture: string,
): Pick<DecoderConfig, "ropeBase" | "ropeScaling" | "ropeAxes"> {
  const fields = ropeFields(text);
  const base = { ...text, ...fields };
  const ropeBase = positive(base, "rope_theta", 10000);
  const named = shown(fields.rope_type ?? fields.type ?? "default");
  // NTK scaling begins beyond the native length, where a prompt is refused.
  if (named === "dynamic") return { ropeBase, ropeScaling: { type: "default" } };
  const type = named === "mrope" ? "default" : named;
  if (type === "default") {
    const ropeAxes = fields.mrope_section === undefined ? undefined : axesOf(fields);
    return { ropeBase, ropeScaling: { type }, ...(ropeAxes && { ropeAxes }) };
  }
  if (type === "linear") {
    return { ropeBase, ropeScaling: { type, factor: positive(fields, "factor") } };
  }
  if (type === "llama3") {
    const lowFreqFactor = positive(fields, "low_freq_factor");
    const highFreqFactor = positive(fields, "high_freq_factor");
    if (highFreqFactor <= lowFreqFactor) {
      throw bad("The field high_freq_factor of config.json is not above low_freq_factor.");
    }
    return {
      ropeBase,
      ropeScaling: {
        type,
        factor: positive(fields, "factor"),
        lowFreqFactor,
        highFreqFactor,
        originalContext: count(fields, "original_max_position_embeddings"),
      },
    };
  }
  throw unknown(`The rotary scaling ${shown(type)} of ${architecture} is not supported.`);
}

function axesOf({ mrope_section: sections, mrope_interleaved: isInterleaved }: Json): RopeAxes {
  const isValid =
    Array.isArray(sections) &&
    sections.length === 3 &&
    sections.every((n) => Number.isInteger(n) && n >= 0);
  if (!isValid) throw bad("The field mrope_section of config.json is not three whole numbers.");
  const [time, height, width] = sections as [number, number, number];
  return { sections: [time, height, width], isInterleaved: isInterleaved === true };
}

function checked(config: DecoderConfig): DecoderConfig {
  for (const name of ["hidden", "intermediate", "headDim"] as const) {
    if (config[name] % 4 !== 0) {
      throw unknown(`Sizes must be multiples of 4, but ${name} is ${config[name]}.`);
    }
  }
  const pairs = config.ropeAxes?.sections.reduce((sum, section) => sum + section, 0);
  if (pairs !== undefined && pairs !== config.headDim / 2) {
    throw bad(`The field mrope_section of config.json is not for heads of ${config.headDim}.`);
  }
  if (config.heads % config.kvHeads !== 0) {
    throw bad(`The model's config.json has ${config.heads} heads over ${config.kvHeads} KV heads.`);
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

/** More than any decoder has; lists of a configuration's layers are made before its weights are seen. */
const MOST_LAYERS = 1024;

function layersOf(text: Json): number {
  const layers = count(text, "num_hidden_layers", 32);
  if (layers <= MOST_LAYERS) return layers;
  throw bad(`The model's config.json names ${layers} layers; ${MOST_LAYERS} are the limit.`);
}

function positive(from: Json, name: string, fallback?: number): number {
  const value = from[name] ?? fallback;
  const isPositive = typeof value === "number" && value > 0;
  // Beyond these, frequencies and norms in f32 are infinite or no numbers.
  if (isPositive && value >= 2 ** -100 && value <= 2 ** 100) return value;
  throw bad(`The field ${name} of config.json is ${shown(value)}, not a usable positive number.`);
}

function count(from: Json, name: string, fallback?: number): number {
  const value = positive(from, name, fallback);
  if (Number.isSafeInteger(value)) return value;
  throw bad(`The field ${name} of config.json is ${value}, not a whole number.`);
}

function bad(message: string): ModelError {
  return new ModelError("badModel", message);
}

function unknown(message: string): ModelError {
  return new ModelError("unknownArchitecture", message);
}
