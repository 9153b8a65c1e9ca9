import { type DType, type FloatType, groupingOf, isWide } from "../common/dtype";
import group32 from "./group_32.wgsl?raw";
import group64 from "./group_64.wgsl?raw";
import group128 from "./group_128.wgsl?raw";
import scalesBf16 from "./scales_bf16.wgsl?raw";
import scalesF16 from "./scales_f16.wgsl?raw";
import bf16 from "./weight_bf16.wgsl?raw";
import f16 from "./weight_f16.wgsl?raw";
import f32 from "./weight_f32.wgsl?raw";
import grouped from "./weight_grouped.wgsl?raw";
import plain from "./weight_plain.wgsl?raw";
import q4 from "./weight_q4.wgsl?raw";
import q8 from "./weight_q8.wgsl?raw";
import wide from "./weight_wide.wgsl?raw";

const FLOATS: Readonly<Record<FloatType, string>> = { f32, f16, bf16 };
const CODES = { 4: q4, 8: q8 };
const GROUPS = { 32: group32, 64: group64, 128: group128 };
const SCALES = { f16: scalesF16, bf16: scalesBf16 };

/**
 * WGSL of a weight format: the interface is described in `weight_plain.wgsl`.
 * @param columns of the matrix, if the kernel reads one size only
 */
export function weightCode(dtype: DType, columns?: number): readonly string[] {
  const grouping = groupingOf(dtype);
  if (!grouping) {
    return [FLOATS[dtype as FloatType], columns && isWide(dtype, columns) ? wide : plain];
  }
  return [CODES[grouping.bits], GROUPS[grouping.group], SCALES[grouping.scales], grouped];
}
