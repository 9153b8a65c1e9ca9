import { foldRows } from "../../blocks/merge";
import type { KeepPlan } from "../../types";
import { type DecodeStep, type Fixture, floats, type Packed } from "./fixture";

/** Keys or values of a compressed cache, layers joined, each [KV head][row][dim]. */
export function compressed(fixture: Fixture, plan: KeepPlan, name: "k" | "v"): Float32Array {
  const { layers, kv_heads, seq, dim = 0 } = fixture.shape;
  const keys = floats(need(fixture.inputs.k, "inputs.k"));
  const values = name === "k" ? keys : floats(need(fixture.inputs.v, "inputs.v"));
  const out: Float32Array[] = [];
  for (let layer = 0; layer < layers; layer++) {
    for (let head = 0; head < kv_heads; head++) {
      const at = (layer * kv_heads + head) * seq * dim;
      const end = at + seq * dim;
      const own = keys.subarray(at, end);
      out.push(
        foldRows(plan.layers[layer]!, head, { values: values.subarray(at, end), keys: own, dim }),
      );
    }
  }
  return joined(out);
}

/** Ids of tokens that were generated: this much above the slots of the prompt. */
export const GENERATED = 10000;

/**
 * The cache after decoding: each layer's ids name a slot of its compressed prompt, or a token.
 *
 * @param prompt the compressed prompt, as `compressed` gives it
 * @param lens rows of the compressed prompt per layer
 */
export function afterDecode(
  fixture: Fixture,
  prompt: Float32Array,
  lens: readonly number[],
  ids: readonly (readonly number[])[],
  name: "k" | "v",
): Float32Array {
  const { kv_heads: heads, dim = 0 } = fixture.shape;
  const tokens = (fixture.inputs.decode ?? []).map((step) => floats(need(step[name], name)));
  const out: Float32Array[] = [];
  let start = 0;
  ids.forEach((cached, layer) => {
    for (let head = 0; head < heads; head++) {
      for (const id of cached) {
        const at =
          id < GENERATED ? start + (head * lens[layer]! + id) * dim : (layer * heads + head) * dim;
        const from = id < GENERATED ? prompt : tokens[id - GENERATED]!;
        out.push(from.subarray(at, at + dim));
      }
    }
    start += heads * lens[layer]! * dim;
  });
  return joined(out);
}

/** Head-mean attention of a step's newest row, one list per layer. */
export function newestRows(step: DecodeStep, layers: number, heads: number): Float64Array[] {
  const parts = step.attn_per_layer
    ? step.attn_per_layer.map(floats)
    : perLayer(floats(need(step.attn, "attn")), layers);
  return parts.map((weights) => {
    const rows = weights.length / heads;
    const mean = new Float64Array(rows);
    weights.forEach((weight, i) => {
      mean[i % rows]! += weight / heads;
    });
    return mean;
  });
}

function perLayer(weights: Float32Array, layers: number): Float32Array[] {
  const size = weights.length / layers;
  return Array.from({ length: layers }, (_, layer) =>
    weights.subarray(layer * size, (layer + 1) * size),
  );
}

export function joined(parts: readonly ArrayLike<number>[]): Float32Array {
  const out = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Smallest difference between two of the given scores, over all lists, in single precision. */
export function smallestGap(lists: readonly Float64Array[]): number {
  let gap = Number.POSITIVE_INFINITY;
  for (const list of lists) {
    const sorted = Float32Array.from(list).sort();
    for (let i = 1; i < sorted.length; i++) gap = Math.min(gap, sorted[i]! - sorted[i - 1]!);
  }
  return gap;
}

function need<T extends Packed>(value: T | undefined, name: string): T {
  if (value === undefined) throw new RangeError(`${name} is missing`);
  return value;
}
