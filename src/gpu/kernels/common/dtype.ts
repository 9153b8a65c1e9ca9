import bf16 from "./weight_bf16.wgsl?raw";
import f16 from "./weight_f16.wgsl?raw";
import f32 from "./weight_f32.wgsl?raw";

/** How a weight is stored. Arithmetic is always f32. */
export type DType = "f32" | "f16" | "bf16";

/** Bytes of one stored weight. */
export const DTYPE_BYTES: Readonly<Record<DType, number>> = { f32: 4, f16: 2, bf16: 2 };

/** WGSL that defines `W4` and `w_unpack`. */
export const WEIGHT_CODE: Readonly<Record<DType, string>> = { f32, f16, bf16 };
