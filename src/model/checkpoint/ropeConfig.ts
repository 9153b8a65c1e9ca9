import { shown } from "@/text/shown";
import {
  badConfig,
  type ConfigFields,
  countField,
  objectField,
  positiveField,
  unsupported,
} from "./configFields";

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
interface RopeAxes {
  /** Pairs of time, height and width. */
  readonly sections: readonly [time: number, height: number, width: number];
  /** Whether the axes take turns (Qwen3-VL), or follow each other. */
  readonly isInterleaved: boolean;
}

/** How a decoder rotates queries and keys. */
export interface RopeConfig {
  readonly ropeBase: number;
  readonly ropeScaling: RopeScaling;
  /** How three axes share the rotated pairs; absent: there is one axis. */
  readonly ropeAxes?: RopeAxes;
}

/** Of two objects with rotary settings the older name wins, as in `transformers` 5. */
export function ropeFields(text: ConfigFields): ConfigFields {
  return objectField(text, "rope_scaling") ?? objectField(text, "rope_parameters") ?? {};
}

/** The rotary settings of a decoder. @throws ModelError */
export function ropeConfig(text: ConfigFields, architecture: string): RopeConfig {
  const fields = ropeFields(text);
  const base = { ...text, ...fields };
  const ropeBase = positiveField(base, "rope_theta", 10000);
  const named = shown(fields.rope_type ?? fields.type ?? "default");
  // NTK scaling begins beyond the native length, where a prompt is refused.
  if (named === "dynamic") return { ropeBase, ropeScaling: { type: "default" } };
  const type = named === "mrope" ? "default" : named;
  if (type === "default") {
    const ropeAxes = fields.mrope_section === undefined ? undefined : axesOf(fields);
    return { ropeBase, ropeScaling: { type }, ...(ropeAxes && { ropeAxes }) };
  }
  if (type === "linear") {
    return { ropeBase, ropeScaling: { type, factor: positiveField(fields, "factor") } };
  }
  if (type === "llama3") {
    const lowFreqFactor = positiveField(fields, "low_freq_factor");
    const highFreqFactor = positiveField(fields, "high_freq_factor");
    if (highFreqFactor <= lowFreqFactor) {
      throw badConfig("The field high_freq_factor of config.json is not above low_freq_factor.");
    }
    return {
      ropeBase,
      ropeScaling: {
        type,
        factor: positiveField(fields, "factor"),
        lowFreqFactor,
        highFreqFactor,
        originalContext: countField(fields, "original_max_position_embeddings"),
      },
    };
  }
  throw unsupported(`The rotary scaling ${shown(type)} of ${architecture} is not supported.`);
}

function axesOf({
  mrope_section: sections,
  mrope_interleaved: isInterleaved,
}: ConfigFields): RopeAxes {
  const isValid =
    Array.isArray(sections) &&
    sections.length === 3 &&
    sections.every((n) => Number.isInteger(n) && n >= 0);
  if (!isValid)
    throw badConfig("The field mrope_section of config.json is not three whole numbers.");
  const [time, height, width] = sections as [number, number, number];
  return { sections: [time, height, width], isInterleaved: isInterleaved === true };
}
