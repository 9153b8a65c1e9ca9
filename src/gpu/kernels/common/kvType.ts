import kvF16 from "./kv_f16.wgsl?raw";
import kvF32 from "./kv_f32.wgsl?raw";

/** Data type of a KV cache. */
export type KvType = "f32" | "f16";

/** Bytes of one cached number. */
export const KV_BYTES: Readonly<Record<KvType, number>> = { f32: 4, f16: 2 };

/** WGSL that defines `Kv4`, `kv_unpack` and `kv_pack` for a cache of this type. */
export const KV_CODE: Readonly<Record<KvType, string>> = { f32: kvF32, f16: kvF16 };
