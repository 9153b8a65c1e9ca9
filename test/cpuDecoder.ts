import fs from "node:fs";
import { attention, gated, matmul, rmsNorm, rotate } from "@/gpu/selfTest/reference";
import { type DecoderConfig, parseConfig } from "@/model/checkpoint/config";
import { rotaryAngles, rotaryFrequencies } from "@/model/kv/rotary";
import type { HeadRows } from "./kv";

type Floats = Float32Array<ArrayBuffer>;

/** Keys and values that a row may attend to: [layer][head][rows]; `step` appends to them. */
export type OpenRows = readonly (readonly { readonly k: Floats[]; readonly v: Floats[] }[])[];

/** Copies of the lists. */
export function openRows(rows: readonly (readonly HeadRows[])[]): OpenRows {
  const copy = (list: readonly Float32Array[]) => list.map((row) => Float32Array.from(row));
  return rows.map((heads) => heads.map(({ k, v }) => ({ k: copy(k), v: copy(v) })));
}

/**
 * A CPU decoder for f32 weights without biases. It processes one token at a time over the rows it
 * is given, so a full cache with masked rows is tested by passing only the other rows.
 */
export class CpuDecoder {
  readonly config: DecoderConfig;
  readonly #bytes: Buffer;
  readonly #tensors: Readonly<Record<string, { readonly data_offsets: readonly [number, number] }>>;
  readonly #dataStart: number;
  readonly #frequencies: Float32Array;

  constructor(folder: string) {
    this.config = parseConfig(JSON.parse(fs.readFileSync(`${folder}/config.json`, "utf8")));
    this.#bytes = fs.readFileSync(`${folder}/model.safetensors`);
    const headerBytes = Number(this.#bytes.readBigUInt64LE(0));
    this.#dataStart = 8 + headerBytes;
    this.#tensors = JSON.parse(this.#bytes.subarray(8, this.#dataStart).toString());
    this.#frequencies = rotaryFrequencies(this.config);
  }

  /**
   * Logits after one more token, whose keys and values are appended to `rows`.
   * @param look receives each layer's attention: per KV head the probability of each of its rows,
   * the new one last, mean over the query heads of the group
   */
  step(
    id: number,
    position: number,
    rows: OpenRows,
    look?: (layer: number, probabilities: readonly Float64Array[]) => void,
  ): Floats {
    const { hidden, heads, kvHeads, headDim, intermediate, normEpsilon } = this.config;
    const angles = rotaryAngles(this.#frequencies, position, 1);
    let x: Floats = this.#tensor("embed_tokens").slice(id * hidden, (id + 1) * hidden);
    for (const [layer, cached] of rows.entries()) {
      const weights = (name: string) => this.#tensor(`layers.${layer}.${name}`);
      const project = (input: Floats, name: string) => {
        const matrix = weights(name);
        return matmul(input, matrix, new Float32Array(matrix.length / input.length));
      };
      const normed = rmsNorm(x, weights("input_layernorm"), normEpsilon);
      const queries = rotate(project(normed, "self_attn.q_proj"), angles, heads, headDim);
      const keys = rotate(project(normed, "self_attn.k_proj"), angles, kvHeads, headDim);
      const values = project(normed, "self_attn.v_proj");
      for (const [head, { k, v }] of cached.entries()) {
        k.push(keys.slice(head * headDim, (head + 1) * headDim));
        v.push(values.slice(head * headDim, (head + 1) * headDim));
      }
      const { output, lse } = attention({
        shape: this.config,
        queries,
        keys: (head) => concat(cached[head]?.k ?? []),
        values: (head) => concat(cached[head]?.v ?? []),
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
    }
    const table = this.#tensor("embed_tokens");
    const normed = rmsNorm(x, this.#tensor("norm"), normEpsilon);
    return matmul(normed, table, new Float32Array(this.config.vocabulary));
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

  #tensor(name: string): Floats {
    const found = this.#tensors[`model.text_model.${name}.weight`];
    if (!found) throw new RangeError(`no tensor ${name}`);
    const [start, end] = found.data_offsets.map((offset) => this.#dataStart + offset);
    return new Float32Array(Uint8Array.from(this.#bytes.subarray(start, end)).buffer);
  }
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
