import type { Slice } from "../../kernel";
import type { KvType } from "./kvType";

/** Heads of an attention layer. */
export interface HeadShape {
  /** H, query heads. */
  readonly heads: number;
  /** G, KV heads; divides H. */
  readonly kvHeads: number;
  /** D, a multiple of 4. */
  readonly headDim: number;
}

/** Heads of a layer, and the type of its cache. */
export interface CachedShape extends HeadShape {
  readonly kvType: KvType;
}

/** One layer of a KV cache, and the table with the location of each head's rows. */
export interface CacheBinding {
  /** The KV heads' regions one after the other, each [capacity, headDim]. */
  readonly keys: Slice;
  readonly values: Slice;
  /**
   * u32 [layers, kvHeads, 4], in rows: offset of a head's region, rows in use, capacity, and the offset when all
   * layers are concatenated. Written before each submit.
   */
  readonly table: Slice;
  readonly layer: number;
}
