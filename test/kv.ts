import { loadKvRows, placeOf, storeKvRows } from "@/gpu/kernels/kv/kvRows";
import { isGroupedKv, KV_BLOCK, type KvType, kvMarks, kvRowBytes } from "@/gpu/kernels/kv/kvType";
import type { KvCache } from "@/model/kv/cache";
import type { KvRegion } from "@/model/kv/layout";

/** A small seeded generator (mulberry32) of numbers in [0, 1). */
export function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let x = Math.imul(state ^ (state >>> 15), 1 | state);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return ((x ^ (x >>> 14)) >>> 0) / 4294967296;
  };
}

export function randomFloats(length: number, seed: number): Float32Array<ArrayBuffer> {
  const random = createRandom(seed);
  return Float32Array.from({ length }, () => 2 * random() - 1);
}

/** Rows of one head as numbers, [rows][headDim]. */
export interface HeadRows {
  readonly k: readonly Float32Array[];
  readonly v: readonly Float32Array[];
}

/** Appends `rows` rows of random keys and values to every head. */
export function appendRandomRows(cache: KvCache, rows: number, seed: number): void {
  cache.ensureRows(rows);
  writeRandomRows(cache, rows, seed);
  cache.append(rows);
}

/**
 * Writes rows after the newest ones, like a chunk or a step before it is counted, and returns them
 * as stored: [layer][head].
 */
export function writeRandomRows(cache: KvCache, rows: number, seed: number): HeadRows[][] {
  const { kvHeads, headDim } = cache.shape;
  return cache.layers.map((buffers, layer) =>
    cache.regions(layer).map(({ offset, rows: used }, head) => {
      const write = (name: "k" | "v"): Float32Array[] => {
        const salt = (layer * kvHeads + head) * 2 + (name === "k" ? 0 : 1);
        const values = randomFloats(rows * headDim, seed * 7919 + salt);
        return Array.from({ length: rows }, (_, row) => {
          const own = values.slice(row * headDim, (row + 1) * headDim);
          return writeRow(cache, buffers[name], offset + used + row, own);
        });
      };
      return { k: write("k"), v: write("v") };
    }),
  );
}

/** A row of keys or values as a cache of codes holds it. */
export function roundRow(values: Float32Array, kvType: KvType): Float32Array<ArrayBuffer> {
  if (!isGroupedKv(kvType)) return Float32Array.from(values);
  const block = new Float32Array(KV_BLOCK * values.length);
  block.set(values);
  const words = storeKvRows(block, values.length, kvType);
  return loadKvRows(words, values.length, kvType).slice(0, values.length);
}

/** Writes one row of keys or values, and returns it as stored. */
export function writeRow(
  { gpu, shape: { headDim, kvType } }: KvCache,
  buffer: GPUBuffer,
  row: number,
  values: Float32Array,
): Float32Array {
  const { queue } = gpu.device;
  if (!isGroupedKv(kvType)) {
    const data = kvType === "f32" ? values.slice() : Uint16Array.from(values, toHalf);
    queue.writeBuffer(buffer, row * kvRowBytes(kvType, headDim), data);
    return kvType === "f32" ? values.slice() : Float32Array.from(data, fromHalf);
  }
  // A block with this row alone, of which the row's own words are written.
  const padded = new Float32Array(KV_BLOCK * headDim);
  const inside = row % KV_BLOCK;
  padded.set(values, inside * headDim);
  const words = storeKvRows(padded, headDim, kvType);
  const [from, to] = [placeOf(inside, headDim, kvType), placeOf(row, headDim, kvType)];
  const marks = kvMarks(kvType, headDim);
  const codes = kvRowBytes(kvType, headDim) / 4 - marks;
  queue.writeBuffer(buffer, to.codes * 4, words, from.codes, codes);
  queue.writeBuffer(buffer, to.marks * 4, words, from.marks, marks);
  return roundRow(values, kvType);
}

/** Reads the rows in use of every head: [layer][head]. */
export async function readCache(cache: KvCache): Promise<readonly (readonly HeadRows[])[]> {
  const { headDim, kvType, layers } = cache.shape;
  const decode = (bytes: ArrayBuffer, { offset, rows }: KvRegion): Float32Array[] => {
    const all = loadKvRows(new Uint32Array(bytes), headDim, kvType);
    return Array.from({ length: rows }, (_, row) =>
      all.slice((offset + row) * headDim, (offset + row + 1) * headDim),
    );
  };
  const all: HeadRows[][] = [];
  for (let layer = 0; layer < layers; layer++) {
    const { k, v } = cache.layer(layer);
    const [keys, values] = [await cache.gpu.read(k), await cache.gpu.read(v)];
    all.push(
      cache
        .regions(layer)
        .map((region) => ({ k: decode(keys, region), v: decode(values, region) })),
    );
  }
  return all;
}

/** Nearest f16, as its bits; for finite values in its normal range. */
function toHalf(value: number): number {
  const bits = new Uint32Array(new Float32Array([value]).buffer)[0] as number;
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude < 0x38800000) return sign; // below the smallest normal f16
  const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1);
  return sign | ((rounded - 0x38000000) >>> 13);
}

function fromHalf(half: number): number {
  const exponent = (half >>> 10) & 31;
  const mantissa = (half & 1023) / 1024;
  const sign = half & 0x8000 ? -1 : 1;
  return sign * (exponent === 0 ? mantissa * 2 ** -14 : (1 + mantissa) * 2 ** (exponent - 15));
}

interface CpuMerge {
  /** Rows before the span. */
  readonly base: number;
  readonly kept: Uint32Array;
  readonly rule: "mean" | "pivot";
  /** For each row of the span the kept row that it is merged into, or -1. */
  readonly into?: Int32Array | undefined;
}

/** A head's rows after a merging plan. */
export function mergeOnCpu(rows: HeadRows, { base, kept, rule, into }: CpuMerge): HeadRows {
  const merge = (values: readonly Float32Array[]): Float32Array[] => [
    ...values.slice(0, base),
    ...Array.from(kept, (keeper) => {
      const own = values[base + keeper] as Float32Array;
      const parts = [...(into?.keys() ?? [])].filter((row) => into?.[row] === keeper);
      return own.map((value, i) => {
        const folded = parts.map((row) => {
          const other = values[base + row]?.[i] as number;
          return rule === "mean" ? other : (other + value) / 2;
        });
        return folded.reduce((sum, part) => sum + part, value) / (parts.length + 1);
      });
    }),
  ];
  return { k: merge(rows.k), v: merge(rows.v) };
}

/** Of cosines that differ by less than this share, rounding decides which is the highest. */
const EQUAL = 1e-6;

/**
 * For each dropped row the kept one, of those in `among`, with the highest key cosine; −1 for kept rows.
 * @param chosen another choice, which is taken where it is as good but for rounding
 */
export function nearestOnCpu(
  keys: readonly Float32Array[],
  kept: Uint32Array,
  among = kept,
  chosen?: Int32Array,
): Int32Array {
  const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
  const keepers = kept.filter((row) => among.includes(row));
  const norms = keys.map((key) => Math.sqrt(dot(key, key)));
  const isKept = new Set(kept);
  return Int32Array.from(keys, (key, row) => {
    if (isKept.has(row)) return -1;
    const cosines = Array.from(keepers, (keeper) => dot(key, keys[keeper]!) / norms[keeper]!);
    const best = Math.max(...cosines);
    const other = cosines[keepers.indexOf(chosen?.[row] ?? -1)] ?? Number.NEGATIVE_INFINITY;
    if (other > best - EQUAL * Math.abs(best)) return chosen![row]!;
    return keepers[cosines.indexOf(best)]!;
  });
}
