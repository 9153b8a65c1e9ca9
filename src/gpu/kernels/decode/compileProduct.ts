import type { Gpu } from "../../gpu";
import type { Access, ParamTypes } from "../../kernel";
import type { DType } from "../common/dtype";
import { type Reduction, reductionCode } from "../common/reduction";
import { weightCode } from "../weights/weightCode";
import gemvRows from "./gemv_rows.wgsl?raw";
import { compilePlans, type GemvPlan, type GemvSize, gemvPlan } from "./gemvWidth";

export interface ProductSpec {
  readonly reduction: Reduction;
  readonly dtype: DType;
  /** The matrices that the kernels will multiply; default: any, slowly. */
  readonly sizes?: DecodeSizes;
  /** How every product is divided; default: by size. */
  readonly division?: Pick<GemvPlan, "width" | "ahead">;
}

/** Sizes of a decoder's matrices; those of another type are absent. */
export type DecodeSizes = Readonly<
  Partial<Record<"qkv" | "output" | "gateUp" | "down" | "head", GemvSize>>
>;

/** Any size. */
export const NO_SIZE: GemvSize = { rows: 0, columns: 0 };

export type CompileProduct = ReturnType<typeof productCompiler>;

/** Compiles a product once for every division that its matrices need. */
export function productCompiler(gpu: Gpu, { reduction, dtype, ...spec }: ProductSpec) {
  const { code, enable, constants } = reductionCode(reduction, gpu);
  const planOf = (size: GemvSize) =>
    spec.sizes
      ? { ...gemvPlan(reduction, dtype, size), ...spec.division }
      : { ...gemvPlan(reduction, dtype, NO_SIZE), columns: 0 };
  return <P extends ParamTypes>(
    label: string,
    matrices: readonly (GemvSize | undefined)[],
    access: readonly Access[],
    params: P,
    wgsl: readonly string[],
    own: Readonly<Record<string, number>> = {},
  ) =>
    compilePlans(
      matrices.filter((size) => size !== undefined),
      planOf,
      ({ width, ahead, columns }) =>
        gpu.compile({
          label: `${label} ${reduction} ${dtype}`,
          code: [code, ...weightCode(dtype, columns), gemvRows, ...wgsl],
          access,
          params,
          enable,
          constants: { ...constants, WORKGROUP: width, AHEAD: ahead, DEPTH4: columns / 4, ...own },
        }),
    );
}
