import { rowBudget } from "../../blocks/budget";
import { range } from "../../blocks/select";
import { keptRows } from "../../keepPlan";
import type { OptionValues } from "../../options";
import { planFor } from "../../plan";
import { policyById } from "../../registry";
import { resolveOptions } from "../../resolveOptions";
import type { Span } from "../../taps/prompt";
import type { TapSpec, Taps } from "../../taps/registry";
import { tapsFromAttention } from "../../taps/registry";
import type { PromptAttention } from "../../taps/tap";
import type { KeepPlan, PlanInput, Policy } from "../../types";

/** Recorded outputs of the authors' classes (schema `kvgolden/1`): reads a file, asks a policy. */

export const SCHEMA = "kvgolden/1";

/** Base64 of little-endian floats, C order. */
export type Packed = string | { readonly b64: string };

export interface Fixture {
  readonly schema: string;
  readonly method: string;
  readonly params: FixtureParams;
  readonly shape: FixtureShape;
  readonly inputs: {
    readonly attn_tri?: Packed;
    readonly q?: Packed;
    readonly k?: Packed;
    readonly v?: Packed;
    readonly decode?: readonly DecodeStep[];
  };
  readonly cases?: readonly SearchCase[];
  readonly expected: Readonly<Record<string, unknown>>;
}

export type FixtureParams = Readonly<Record<string, unknown>>;

interface FixtureShape {
  readonly layers: number;
  /** Query heads. */
  readonly heads: number;
  readonly kv_heads: number;
  readonly seq: number;
  readonly dim?: number;
}

export interface DecodeStep {
  readonly k?: Packed;
  readonly v?: Packed;
  readonly attn?: Packed;
  readonly attn_per_layer?: readonly Packed[];
}

interface SearchCase {
  readonly score_sum: Packed;
  readonly layers: number;
  readonly seq: number;
  readonly target_num: number;
  readonly protect: number;
  readonly [field: string]: unknown;
}

export function floats(packed: Packed): Float32Array {
  const text = typeof packed === "string" ? packed : packed.b64;
  const bytes = Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  if (bytes.length % 4 !== 0) throw new RangeError("a packed array is cut off");
  return new Float32Array(bytes.buffer);
}

export function packed(values: Float32Array): string {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

/** A number among the parameters. */
export function numberParam(params: FixtureParams, name: string): number {
  const value = params[name];
  if (typeof value === "number") return value;
  throw new RangeError(`the parameter ${name} is missing`);
}

export function spanParam(params: FixtureParams, name: string): Span {
  const value = params[name];
  if (Array.isArray(value) && value.length === 2) {
    return { start: Number(value[0]), end: Number(value[1]) };
  }
  throw new RangeError(`the parameter ${name} is missing`);
}

/** The recorded attention, with or without an image, as what taps are computed from. */
export function attentionOf(fixture: Fixture, image?: Span): PromptAttention {
  const { layers, heads, kv_heads: kvHeads, seq: rows, dim } = fixture.shape;
  const { attn_tri, k, v } = fixture.inputs;
  const triangle = (rows * (rows + 1)) / 2;
  const weights = attn_tri === undefined ? softmaxOf(fixture) : floats(attn_tri);
  if (weights.length !== layers * heads * triangle) {
    throw new RangeError(`the attention has ${weights.length} entries, not those of its shape`);
  }
  return {
    layers,
    heads,
    kvHeads,
    rows,
    visual: image ? [image] : [],
    textStart: image?.end ?? rows - Math.min(rows - 1, 32),
    attention(layer, head, query) {
      const at = (layer * heads + head) * triangle + (query * (query + 1)) / 2;
      return weights.subarray(at, at + query + 1);
    },
    ...(k &&
      v &&
      dim && {
        keyValues: { kvHeads, rows, headDim: dim, k: floats(k), v: floats(v) },
      }),
  };
}

/** Causal softmax(q · k / √dim), packed like `attn_tri`. */
function softmaxOf({ shape, inputs }: Fixture): Float32Array {
  const { layers, heads, kv_heads: kvHeads, seq: rows, dim } = shape;
  if (!inputs.q || !inputs.k || !dim) throw new RangeError("neither attention nor queries");
  const queries = floats(inputs.q);
  const keys = floats(inputs.k);
  const out: number[] = [];
  for (let layer = 0; layer < layers; layer++) {
    for (let head = 0; head < heads; head++) {
      const kvHead = Math.floor((head * kvHeads) / heads);
      for (let query = 0; query < rows; query++) {
        const at = ((layer * heads + head) * rows + query) * dim;
        const dots = Array.from({ length: query + 1 }, (_, row) => {
          const key = ((layer * kvHeads + kvHead) * rows + row) * dim;
          let dot = 0;
          for (let i = 0; i < dim; i++) dot += queries[at + i]! * keys[key + i]!;
          return dot / Math.sqrt(dim);
        });
        const max = Math.max(...dots);
        const weights = dots.map((dot) => Math.exp(dot - max));
        const sum = weights.reduce((a, b) => a + b, 0);
        out.push(...weights.map((weight) => weight / sum));
      }
    }
  }
  return Float32Array.from(out);
}

/** One run of one policy: its input, its completed options and its plan. */
export interface Asked {
  readonly policy: Policy;
  readonly options: OptionValues;
  readonly input: PlanInput;
  readonly plan: KeepPlan;
}

/** Our policies' results for a fixture, in the structure of its `expected`. */
export interface Recomputed {
  /** Ids of the policies that were run. */
  readonly policies: readonly string[];
  readonly actual: Readonly<Record<string, unknown>>;
  /** Default 1e-5. */
  readonly tolerance?: number;
  /** Fields whose difference counts as agreement, with the reason (README of the fixtures). */
  readonly waived?: Readonly<Record<string, string>>;
}

interface PolicyQuestion {
  readonly policy: string;
  readonly options: OptionValues;
  readonly retention: number;
  readonly attention: PromptAttention;
  /** Default: every row. */
  readonly candidates?: Uint32Array;
  /** Default: max(L, round(retention · |C| · L)). */
  readonly budget?: number;
  /** Taps beyond the policy's own that a report wants. */
  readonly also?: TapSpec;
}

/** Runs a policy of the registry through the same code as the engine. */
export function ask(question: PolicyQuestion): Asked {
  const policy = policyById(question.policy);
  const options = resolveOptions(policy, question.options);
  const spec = { ...question.also, ...policy.taps(options) };
  const input = inputOf(question, tapsFromAttention(spec, question.attention));
  return { policy, options, input, plan: planFor(policy, input, options) };
}

function inputOf(question: PolicyQuestion, taps: Taps): PlanInput {
  const { layers, kvHeads, rows, visual, textStart } = question.attention;
  const candidates = question.candidates ?? range(0, rows);
  const { retention } = question;
  const budget = question.budget ?? rowBudget(retention, candidates.length, layers);
  return { layers, kvHeads, rows, visual, textStart, candidates, budget, retention, taps, seed: 0 };
}

/** Kept rows of one KV head. */
export function keptOf(plan: KeepPlan, layer: number, head = 0): Uint32Array {
  return keptRows(plan.layers[layer]!, head);
}

/** [layer][KV head] kept rows. */
export function keptPerHead({ input, plan }: Asked): number[][][] {
  return plan.layers.map((_, layer) =>
    Array.from({ length: input.kvHeads }, (_, head) => [...keptOf(plan, layer, head)]),
  );
}
