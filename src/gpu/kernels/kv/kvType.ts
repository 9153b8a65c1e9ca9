/** A cache of floating-point numbers. */
type PlainKvType = "f32" | "f16";

/**
 * Data type of a KV cache. `q8` and `q4` round keys and values to codes of 8 and 4 bits: `q8` with a range per row
 * and head, `q4` with one per 32 elements of it (`kv_grouped.wgsl`).
 */
export type KvType = PlainKvType | "q8" | "q4";

/** Rows that stand together in a cache of codes, `KV_BLOCK` in WGSL. Regions and copies are multiples of it. */
export const KV_BLOCK = 64;
/** Elements that share a range in `q4`. */
export const Q4_GROUP = 32;

/** Whether a cache holds codes, in blocks of `KV_BLOCK` rows. */
export function isGroupedKv(kvType: KvType): kvType is "q8" | "q4" {
  return kvType === "q8" || kvType === "q4";
}

/** In what the kernels that rotate rows write them: straight into the cache, or before they are rounded. */
export function writtenType(kvType: KvType): PlainKvType {
  return isGroupedKv(kvType) ? "f32" : kvType;
}

/** Groups of a row, which are rounded by themselves: `KV_GROUPS` in WGSL. */
export function kvGroups(kvType: KvType, headDim: number): number {
  return kvType === "q4" ? Math.ceil(headDim / Q4_GROUP) : 1;
}

/** Bytes of the keys, or values, of one row and head, ranges included. */
export function kvRowBytes(kvType: KvType, headDim: number): number {
  switch (kvType) {
    case "f32":
      return 4 * headDim;
    case "f16":
      return 2 * headDim;
    case "q8":
      return headDim + 4;
    case "q4":
      return 4 * (Math.ceil(headDim / 8) + kvGroups(kvType, headDim));
    default:
      return kvType satisfies never;
  }
}

/** Bits of one number, without ranges. */
export function kvBits(kvType: KvType): number {
  return { f32: 32, f16: 16, q8: 8, q4: 4 }[kvType];
}

/** Rows that have to be copied together to move the first `rows` of a region. */
export function copiedRows(kvType: KvType, rows: number): number {
  return isGroupedKv(kvType) ? Math.ceil(rows / KV_BLOCK) * KV_BLOCK : rows;
}

/** What kernels move of a row that do not look into it: `KV_UNITS` in WGSL. */
export function kvUnits(kvType: KvType, headDim: number): number {
  return isGroupedKv(kvType) ? kvRowBytes(kvType, headDim) / 4 : headDim / 4;
}
