import fs from "node:fs";
import type { KvType } from "@/gpu/kernels/kv/kvType";
import { unpackBf16, unpackF16 } from "@/gpu/packing";
import { attention, gated, matmul, rmsNorm, rotate } from "@/gpu/selfTest/reference";
import { type DecoderConfig, parseConfig } from "@/model/checkpoint/config";
import { axisAngles, rotaryAxes, rotaryFrequencies } from "@/model/kv/rotary";
import type { AxisPositions } from "@/model/kv/tokenPositions";
import { type HeadRows, roundRow } from "./kv";

type Floats = Float32Array<ArrayBuffer>;

/** Keys and values that a row may attend to: [layer][head][rows]; `step` appends to them. */
export type OpenRows = readonly (readonly { readonly k: Floats[]; readonly v: Floats[] }[])[];

/** A token, or a row of features in its place. */
type StepInput = number | FeatureRow;

export interface FeatureRow {
  /** [hidden] */
  readonly features: Floats;
  /** [levels][hidden]: what is added behind the first layers (DeepStack). */
  readonly deepstack: readonly Floats[];
}

/** Copies of the lists. */
export function openRows(rows: readonly (readonly HeadRows[])[]): OpenRows {
  const copy = (list: readonly Float32Array[]) => list.map((row) => Float32Array.from(row));
  return rows.map((heads) => heads.map(({ k, v }) => ({ k: copy(k), v: copy(v) })));
}

interface StoredTensor {
  readonly file: Buffer;
  /** Where the file's data begins. */
  readonly dataStart: number;
  readonly dtype: "F32" | "F16" | "BF16";
  readonly data_offsets: readonly [number, number];
}

const PREFIXES = ["model.text_model.", "language_model.model.", "model.language_model.", "model."];

/**
 * A CPU decoder. It processes one token at a time over the rows it is given, so a full cache with
 * masked rows is tested by passing only the other rows.
 */
export class CpuDecoder {
  readonly config: DecoderConfig;
  readonly #kvType: KvType;
  readonly #tensors = new Map<string, StoredTensor>();
  readonly #values = new Map<string, Floats>();
  readonly #prefix: string;
  readonly #frequencies: Float32Array;

  /** @param kvType a cache of codes rounds the rows that are appended; others hold them as they are */
  constructor(folder: string, kvType: KvType = "f32") {
    this.#kvType = kvType;
    this.config = parseConfig(JSON.parse(fs.readFileSync(`${folder}/config.json`, "utf8")));
    for (const name of fs.readdirSync(folder).filter((each) => each.endsWith(".safetensors"))) {
      const file = fs.readFileSync(`${folder}/${name}`);
      const dataStart = 8 + Number(file.readBigUInt64LE(0));
      const header = JSON.parse(file.subarray(8, dataStart).toString());
      for (const [tensor, info] of Object.entries(header)) {
        this.#tensors.set(tensor, { ...(info as StoredTensor), file, dataStart });
      }
    }
    const has = (prefix: string) => this.#tensors.has(`${prefix}embed_tokens.weight`);
    this.#prefix = PREFIXES.find(has) ?? "";
    this.#frequencies = rotaryFrequencies(this.config);
  }

  #embedding(id: number): FeatureRow {
    const { hidden } = this.config;
    const table = this.#tensor("embed_tokens");
    return { features: table.slice(id * hidden, (id + 1) * hidden), deepstack: [] };
  }

  /**
   * Logits after one more token, whose keys and values are appended to `rows`.
   * @param look receives each layer's attention: per KV head the probability of each of its rows,
   * the new one last, mean over the query heads of the group
   */
  step(
    input: StepInput,
    position: number | AxisPositions,
    rows: OpenRows,
    look?: (layer: number, probabilities: readonly Float64Array[]) => void,
  ): Floats {
    const { heads, kvHeads, headDim, intermediate, normEpsilon } = this.config;
    const at = typeof position === "number" ? ([position, position, position] as const) : position;
    const angles = axisAngles(this.#frequencies, rotaryAxes(this.config), [at]);
    const row = typeof input === "number" ? this.#embedding(input) : input;
    let x: Floats = row.features;
    for (const [layer, cached] of rows.entries()) {
      const weights = (name: string) => this.#tensor(`layers.${layer}.${name}`);
      const project = (input: Floats, name: string) => {
        const matrix = weights(name);
        const bias = this.#find(`layers.${layer}.${name}.bias`);
        return matmul(input, matrix, bias ?? new Float32Array(matrix.length / input.length));
      };
      const perHead = (input: Floats, name: string) => {
        const weight = this.#find(`layers.${layer}.self_attn.${name}.weight`);
        return weight ? rmsNorm(input, weight, normEpsilon) : input;
      };
      const normed = rmsNorm(x, weights("input_layernorm"), normEpsilon);
      const queries = rotate(
        perHead(project(normed, "self_attn.q_proj"), "q_norm"),
        ...([angles, heads, headDim] as const),
      );
      const keys = rotate(
        perHead(project(normed, "self_attn.k_proj"), "k_norm"),
        ...([angles, kvHeads, headDim] as const),
      );
      const values = project(normed, "self_attn.v_proj");
      for (const [head, { k, v }] of cached.entries()) {
        k.push(roundRow(keys.slice(head * headDim, (head + 1) * headDim), this.#kvType));
        v.push(roundRow(values.slice(head * headDim, (head + 1) * headDim), this.#kvType));
      }
      const seen = cached.map(({ k, v }) => ({ k: concat(k), v: concat(v) }));
      const { output, lse } = attention({
        shape: this.config,
        queries,
        keys: (head) => seen[head]!.k,
        values: (head) => seen[head]!.v,
        before: (head) => (cached[head]?.k.length ?? 0) - 1,
      });
      look?.(
        layer,
        cached.map(({ k }, head) => this.#probabilities(queries, k, lse, head)),
      );
      x = add(x, project(output, "self_attn.o_proj"));
      const inner = rmsNorm(x, weights("post_attention_layernorm"), normEpsilon);
      const both = concat([project(inner, "mlp.gate_proj"), project(inner, "mlp.up_proj")]);
      x = add(x, project(gated(both, intermediate), "mlp.down_proj"));
      const added = row.deepstack[layer];
      if (added) x = add(x, added);
    }
    const normed = rmsNorm(x, this.#tensor("norm"), normEpsilon);
    return matmul(normed, this.#head(), new Float32Array(this.config.vocabulary));
  }

  #probabilities(
    queries: Floats,
    keys: readonly Floats[],
    lse: Floats,
    kvHead: number,
  ): Float64Array {
    const { heads, kvHeads, headDim } = this.config;
    const group = heads / kvHeads;
    return Float64Array.from(keys, (key) => {
      let sum = 0;
      for (let head = kvHead * group; head < (kvHead + 1) * group; head++) {
        const query = queries.subarray(head * headDim, (head + 1) * headDim);
        const score = key.reduce((total, value, i) => total + value * (query[i] as number), 0);
        sum += Math.exp(score / Math.sqrt(headDim) - (lse[head] as number));
      }
      return sum / group;
    });
  }

  #head(): Floats {
    if (this.config.isHeadTied) return this.#tensor("embed_tokens");
    const head = this.#read("lm_head.weight") ?? this.#read("language_model.lm_head.weight");
    if (head) return head;
    throw new RangeError("no output head");
  }

  #tensor(name: string): Floats {
    const found = this.#find(`${name}.weight`);
    if (found) return found;
    throw new RangeError(`no tensor ${name}`);
  }

  #find(name: string): Floats | undefined {
    return this.#read(this.#prefix + name);
  }

  #read(name: string): Floats | undefined {
    const known = this.#values.get(name);
    const info = this.#tensors.get(name);
    if (known || !info) return known;
    const [start, end] = info.data_offsets.map((offset) => info.dataStart + offset);
    const bytes = Uint8Array.from(info.file.subarray(start, end));
    const values = floatsOf(bytes, info.dtype);
    this.#values.set(name, values);
    return values;
  }
}

function floatsOf(bytes: Uint8Array<ArrayBuffer>, dtype: StoredTensor["dtype"]): Floats {
  if (dtype === "F32") return new Float32Array(bytes.buffer);
  const words = new Uint32Array(Math.ceil(bytes.length / 4));
  new Uint8Array(words.buffer).set(bytes);
  const values = dtype === "F16" ? unpackF16(words) : unpackBf16(words);
  return values.slice(0, bytes.length / 2);
}

function concat(parts: readonly Float32Array[]): Floats {
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function add(a: Floats, b: Floats): Floats {
  return a.map((value, i) => value + (b[i] as number));
}
