/**
 * CPU references of the kernels, for tests and the self-test. Arrays are row-major f32; sums are in
 * double precision.
 */

import type { HeadShape } from "../kernels/kv/cacheBinding";
import type { SampleSettings } from "../kernels/sampling/sample";

type Floats = Float32Array<ArrayBuffer>;

/** [rows, width] → each row divided by its root mean square, times `weight` [width]. */
export function rmsNorm(input: Floats, weight: Floats, epsilon: number): Floats {
  const width = weight.length;
  const output = new Float32Array(input.length);
  for (let first = 0; first < input.length; first += width) {
    let squares = 0;
    for (let k = 0; k < width; k++) squares += (input[first + k] as number) ** 2;
    const scale = Math.sqrt(squares / width + epsilon);
    for (let k = 0; k < width; k++) {
      output[first + k] = ((input[first + k] as number) / scale) * (weight[k] as number);
    }
  }
  return output;
}

/** [rows, depth] × [columns, depth]ᵀ + bias [columns] → [rows, columns]. */
export function matmul(input: Floats, weights: Floats, bias: Floats): Floats {
  const columns = bias.length;
  const depth = weights.length / columns;
  const rows = input.length / depth;
  const output = new Float32Array(rows * columns);
  for (let at = 0; at < output.length; at++) {
    const row = Math.floor(at / columns) * depth;
    const column = (at % columns) * depth;
    let sum = bias[at % columns] as number;
    for (let k = 0; k < depth; k++) {
      sum += (input[row + k] as number) * (weights[column + k] as number);
    }
    output[at] = sum;
  }
  return output;
}

/** [rows, 2, width] gate and up → [rows, width] SiLU(gate) × up. */
export function gated(product: Floats, width: number): Floats {
  return Float32Array.from({ length: product.length / 2 }, (_, at) => {
    const first = Math.floor(at / width) * 2 * width + (at % width);
    const gate = product[first] as number;
    return (gate / (1 + Math.exp(-gate))) * (product[first + width] as number);
  });
}

/** Rotates [rows, heads, headDim]: element i rotates with element i + headDim / 2. */
export function rotate(vectors: Floats, angles: Floats, heads: number, headDim: number): Floats {
  const half = headDim / 2;
  return vectors.map((value, at) => {
    const element = at % headDim;
    const row = Math.floor(at / (heads * headDim));
    const pair = (row * half + (element % half)) * 2;
    const [cosine, sine] = [angles[pair] as number, angles[pair + 1] as number];
    return element < half
      ? value * cosine - (vectors[at + half] as number) * sine
      : value * cosine + (vectors[at - half] as number) * sine;
  });
}

interface ReferenceAttentionInput {
  readonly shape: HeadShape;
  /** [rows, heads, headDim], rotated, not scaled. */
  readonly queries: Floats;
  /** A KV head's rows, new ones included: [slots, headDim]. */
  keys(head: number): Floats;
  values(head: number): Floats;
  /** Slots of a KV head before the first query row: row r sees slots 0 … before + r. */
  before(head: number): number;
}

/** Causal attention: output [rows, heads, headDim] and log-sum-exp of the scaled scores [rows, heads]. */
export function attention({ shape, queries, keys, values, before }: ReferenceAttentionInput) {
  const { heads, kvHeads, headDim } = shape;
  const output = new Float32Array(queries.length);
  const lse = new Float32Array(queries.length / headDim);
  for (let unit = 0; unit < lse.length; unit++) {
    const kvHead = Math.floor(((unit % heads) * kvHeads) / heads);
    const query = queries.subarray(unit * headDim, (unit + 1) * headDim);
    const k = keys(kvHead);
    const slots = before(kvHead) + Math.floor(unit / heads) + 1;
    const scores = Array.from({ length: slots }, (_, slot) => {
      const row = k.subarray(slot * headDim, (slot + 1) * headDim);
      return dot(query, row) / Math.sqrt(headDim);
    });
    const peak = Math.max(...scores);
    const weights = scores.map((score) => Math.exp(score - peak));
    const mass = weights.reduce((sum, weight) => sum + weight, 0);
    const v = values(kvHead);
    for (let d = 0; d < headDim; d++) {
      let sum = 0;
      for (let slot = 0; slot < slots; slot++) {
        sum += (weights[slot] as number) * (v[slot * headDim + d] as number);
      }
      output[unit * headDim + d] = sum / mass;
    }
    lse[unit] = peak + Math.log(mass);
  }
  return { output, lse };
}

function dot(a: Floats, b: Floats): number {
  let sum = 0;
  for (let at = 0; at < a.length; at++) sum += (a[at] as number) * (b[at] as number);
  return sum;
}

/** The id that `sample_greedy` and `sample_top` choose; `draw` counts the draws before it. */
export function sample(logits: Floats, settings: SampleSettings, draw: number): number {
  const { temperature, topK, topP, seed } = settings;
  if (temperature === 0) return logits.indexOf(Math.max(...logits));
  const descending = [...logits].sort((a, b) => b - a);
  const peak = descending[0] as number;
  let floor = topK > 0 ? (descending[Math.min(topK, logits.length) - 1] as number) : -Infinity;
  if (topP < 1) {
    const kept = descending.filter((logit) => logit >= floor);
    const masses = kept.map((logit) => Math.exp((logit - peak) / temperature));
    const wanted = topP * masses.reduce((sum, mass) => sum + mass, 0);
    let mass = 0;
    floor = kept.find((_, rank) => {
      mass += masses[rank] as number;
      return mass >= wanted;
    }) as number;
  }
  let best = -Infinity;
  let chosen = 0;
  for (const [id, logit] of logits.entries()) {
    if (logit < floor) continue;
    const score = logit / temperature + gumbel(seed, draw, id);
    if (score > best) [best, chosen] = [score, id];
  }
  return chosen;
}

/** Logarithm of an id's softmax probability. */
export function logProbability(logits: Floats, id: number): number {
  const peak = Math.max(...logits);
  const mass = logits.reduce((sum, logit) => sum + Math.exp(logit - peak), 0);
  return (logits[id] as number) - peak - Math.log(mass);
}

/** Gumbel noise from the hash pcg3d, bit for bit as in `sample_top.wgsl` before the logarithms. */
function gumbel(seed: number, draw: number, id: number): number {
  const step = (v: number) => (Math.imul(v, 1664525) + 1013904223) | 0;
  let [x, y, z] = [step(seed), step(draw), step(id)];
  x = (x + Math.imul(y, z)) | 0;
  y = (y + Math.imul(z, x)) | 0;
  z = (z + Math.imul(x, y)) | 0;
  x ^= x >>> 16;
  y ^= y >>> 16;
  z ^= z >>> 16;
  x = (x + Math.imul(y, z)) | 0;
  return -Math.log(-Math.log(((x >>> 9) + 0.5) / 2 ** 23));
}

/** Reproducible values in [-1, 1). */
export function randomFloats(count: number, seed: number): Floats {
  let state = seed * 2654435761 + 1;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state / 2 ** 31;
  });
}

/** Largest absolute difference; NaN and missing values count as infinite. */
export function maxError(actual: Floats, expected: Floats): number {
  return expected.reduce((worst, value, at) => {
    const error = Math.abs(value - (actual[at] as number));
    return Number.isNaN(error) ? Infinity : Math.max(worst, error);
  }, 0);
}
