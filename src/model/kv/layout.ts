import type { Reduction } from "@/gpu/kernels/common/reduction";
import { KV_BLOCK, type KvType } from "@/gpu/kernels/kv/kvType";

export interface KvShape {
  readonly layers: number;
  /** G */
  readonly kvHeads: number;
  /** D, a multiple of 4. */
  readonly headDim: number;
  readonly kvType: KvType;
  /** Who shares a row in kernels that write rows; default: one invocation. */
  readonly reduction?: Reduction;
  /** Radians per position of each rotated pair, [headDim / 2]; needed by `cacheIndex` alone. */
  readonly frequencies?: Float32Array;
  /** Axis of each rotated pair, [headDim / 2]; absent: all axes are one. */
  readonly axes?: Uint8Array;
}

/** Rows per [layer][head], for example those that stood before a prompt. */
export type RowCounts = readonly (readonly number[])[];

/** Location of one head's rows in its layer's buffers, in rows. */
export interface KvRegion {
  readonly offset: number;
  readonly rows: number;
  readonly capacity: number;
}

/** Rows rounded up to whole blocks: the capacity of a region. */
export function capacityFor(rows: number): number {
  return Math.ceil(rows / KV_BLOCK) * KV_BLOCK;
}

/** Rows by which a head's capacity grows while decoding: an eighth of its rows, within bounds. */
export function growthFor(rows: number): number {
  return Math.min(Math.max(Math.ceil(rows / 8), KV_BLOCK), 16 * KV_BLOCK);
}

/** Regions one after the other; capacities hold `needed` rows, of which `rows` are in use. */
export function layoutRegions(
  rows: readonly number[],
  needed: readonly number[] = rows,
): readonly KvRegion[] {
  let offset = 0;
  return rows.map((used, head) => {
    const capacity = capacityFor(needed[head] as number);
    const region = { offset, rows: used, capacity };
    offset += capacity;
    return region;
  });
}
