import { createRandom } from "@/compression/blocks/randomness";
import { loadKvRows, placeOf, storeKvRows } from "@/gpu/kernels/kv/kvRows";
import { isGroupedKv, KV_BLOCK, type KvType, kvGroups, kvRowBytes } from "@/gpu/kernels/kv/kvType";
import { roundToF16, unpackF16 } from "@/gpu/packing";
import type { KvCache } from "@/model/kv/cache";
import type { KvRegion } from "@/model/kv/layout";

type Floats = Float32Array<ArrayBuffer>;

/** Numbers in [-1, 1). */
export function randomFloats(length: number, seed: number): Floats {
  const random = createRandom(seed);
  return Float32Array.from({ length }, () => 2 * random() - 1);
}

/** Rows of one head as numbers, [rows][headDim]. */
export interface HeadRows {
  readonly k: readonly Float32Array[];
  readonly v: readonly Float32Array[];
}

/** A copy of a cache with buffers of its own. */
export function forkOf(cache: KvCache): KvCache {
  const { device } = cache.gpu;
  const copy = cache.emptyCopy();
  const encoder = device.createCommandEncoder({ label: "kv fork" });
  for (const [layer, { k, v }] of cache.layers.entries()) {
    const regions = cache.regions(layer);
    const created = copy.createBuffers(layer, regions);
    encoder.copyBufferToBuffer(k, 0, created.k, 0, k.size);
    encoder.copyBufferToBuffer(v, 0, created.v, 0, v.size);
    const heads = cache.hasHeadLists(layer) ? regions.length : 1;
    const positions = Array.from({ length: heads }, (_, head) => [...cache.positions(layer, head)]);
    copy.install(layer, created, regions, positions);
  }
  device.queue.submit([encoder.finish()]);
  return copy;
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
        return writeRows(cache, buffers[name], offset + used, values);
      };
      return { k: write("k"), v: write("v") };
    }),
  );
}

/** A row of keys or values as a cache of codes holds it. */
export function roundRow(values: Floats, kvType: KvType): Floats {
  if (!isGroupedKv(kvType)) return Float32Array.from(values);
  const words = storeKvRows(values, values.length, kvType);
  return loadKvRows(words, values.length, kvType).slice(0, values.length);
}

/** Writes keys or values [rows, headDim] from the row `first` on, and returns them as stored. */
export function writeRows(
  { gpu, shape: { headDim, kvType } }: KvCache,
  buffer: GPUBuffer,
  first: number,
  values: Floats,
): Float32Array[] {
  const { queue } = gpu.device;
  const rows = values.length / headDim;
  if (!isGroupedKv(kvType)) {
    const data = kvType === "f32" ? values : roundToF16(values);
    queue.writeBuffer(buffer, first * kvRowBytes(kvType, headDim), data);
    const stored = kvType === "f32" ? values : unpackF16(new Uint32Array(data.buffer));
    return rowsOf(stored, headDim, { offset: 0, rows });
  }
  // Whole blocks, of which the rows' own words are written.
  const inside = first % KV_BLOCK;
  const padded = new Float32Array(inside * headDim + values.length);
  padded.set(values, inside * headDim);
  const words = storeKvRows(padded, headDim, kvType);
  const groups = kvGroups(kvType, headDim);
  const codes = kvRowBytes(kvType, headDim) / 4 - groups;
  for (let row = 0; row < rows; row++) {
    const from = placeOf(inside + row, headDim, kvType);
    const to = placeOf(first + row, headDim, kvType);
    queue.writeBuffer(buffer, to.codes * 4, words, from.codes, codes);
    queue.writeBuffer(buffer, to.ranges * 4, words, from.ranges, groups);
  }
  return rowsOf(loadKvRows(words, headDim, kvType), headDim, { offset: inside, rows });
}

/** Reads the rows in use of every head: [layer][head]. */
export async function readCache(cache: KvCache): Promise<readonly (readonly HeadRows[])[]> {
  const { headDim, kvType, layers } = cache.shape;
  const read = async (buffer: GPUBuffer) =>
    loadKvRows(new Uint32Array(await cache.gpu.read(buffer)), headDim, kvType);
  const all: HeadRows[][] = [];
  for (let layer = 0; layer < layers; layer++) {
    const buffers = cache.layer(layer);
    const [keys, values] = [await read(buffers.k), await read(buffers.v)];
    const inUse = (region: KvRegion) => ({
      k: rowsOf(keys, headDim, region),
      v: rowsOf(values, headDim, region),
    });
    all.push(cache.regions(layer).map(inUse));
  }
  return all;
}

/** Rows of [rows, headDim], one by one. */
function rowsOf(
  all: Floats,
  headDim: number,
  { offset, rows }: Pick<KvRegion, "offset" | "rows">,
): Floats[] {
  return Array.from({ length: rows }, (_, row) =>
    all.slice((offset + row) * headDim, (offset + row + 1) * headDim),
  );
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
