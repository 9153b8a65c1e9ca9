import type { Kernel, ParamTypes } from "../../kernel";
import { type DType, runColumns } from "../common/dtype";
import { type Reduction, reductionCode } from "../common/reduction";

/** Size of a matrix as stored: a gated one has the rows of gate and up. */
export interface GemvSize {
  readonly rows: number;
  /** A multiple of 4. */
  readonly columns: number;
  /** Default: of floating-point weights. */
  readonly dtype?: DType;
}

/** Invocations that keep a large GPU's memory busy. */
const WANTED_INVOCATIONS = 2 ** 17;
const MOST = 256;
const ROWS_PER_UNIT = 4;
/** Runs along the depth that an invocation should have: two are loaded at a time. */
const FEWEST_STEPS = 2;

/**
 * Invocations that share a unit of a matrix–vector product. A matrix of few rows has few units, so more
 * invocations split its depth (split-K inside a workgroup).
 */
export function gemvWidth(
  reduction: Reduction,
  { rows, columns, dtype = "f16" }: GemvSize,
): number {
  const { WORKGROUP: least } = reductionCode(reduction).constants as { WORKGROUP: number };
  if (reduction === "one") return least;
  const units = Math.ceil(rows / ROWS_PER_UNIT);
  let width = least;
  while (
    width < MOST &&
    2 * width * units <= WANTED_INVOCATIONS &&
    2 * width * FEWEST_STEPS <= columns / runColumns(dtype)
  ) {
    width *= 2;
  }
  return width;
}

/** Compiles a kernel once for each width that the sizes need, and picks by size. */
export async function compileWidths<P extends ParamTypes>(
  reduction: Reduction,
  sizes: readonly GemvSize[],
  compile: (width: number) => Promise<Kernel<P>>,
): Promise<(size: GemvSize) => Kernel<P>> {
  const widths = [...new Set(sizes.map((size) => gemvWidth(reduction, size)))];
  const kernels = new Map(
    await Promise.all(widths.map(async (width) => [width, await compile(width)] as const)),
  );
  const [first] = kernels.values();
  return (size) => kernels.get(gemvWidth(reduction, size)) ?? (first as Kernel<P>);
}
