import type { Kernel, ParamTypes } from "../../kernel";
import { type DType, groupingOf, runColumns } from "../common/dtype";
import { type Reduction, reductionCode } from "../common/reduction";

/** Size of a matrix as stored: a gated one has the rows of gate and up. */
export interface GemvSize {
  readonly rows: number;
  /** A multiple of 4. */
  readonly columns: number;
}

/** How a matrix–vector product is divided. */
export interface GemvPlan {
  /** Invocations that share a unit of four rows. */
  readonly width: number;
  /** Runs along the depth that an invocation loads at a time: 1, 2 or 4. */
  readonly ahead: number;
  /** Of the matrices that the kernel multiplies; 0: any. */
  readonly columns: number;
}

/** Invocations that keep a large GPU's memory busy. */
const WANTED_INVOCATIONS = 2 ** 17;
const USUAL = 128;
const MOST = 256;
const ROWS_PER_UNIT = 4;
const MOST_AHEAD = 4;

/**
 * A matrix of few rows has few units, so more invocations split its depth (split-K inside a workgroup): as many as
 * usual if the depth has runs for them, more only if those cannot load it all at once. Many units hide each
 * other's latency; they load one run of 16 bits at a time, or as many bytes of shorter ones, and keep few registers.
 */
export function gemvPlan(
  reduction: Reduction,
  dtype: DType,
  { rows, columns }: GemvSize,
): GemvPlan {
  const { WORKGROUP: least } = reductionCode(reduction).constants as { WORKGROUP: number };
  if (reduction === "one") return { width: least, ahead: 1, columns: 0 };
  const units = Math.ceil(rows / ROWS_PER_UNIT);
  const isMany = units * USUAL > WANTED_INVOCATIONS;
  const most = isMany ? 16 / (groupingOf(dtype)?.bits ?? 16) : MOST_AHEAD;
  const runs = columns / runColumns(dtype, columns);
  let width = least;
  const loads = () => width * (width < USUAL ? 1 : MOST_AHEAD);
  while (width < MOST && 2 * width * units <= WANTED_INVOCATIONS && loads() < runs) width *= 2;
  let ahead = 1;
  while (ahead < most && ahead * width < runs) ahead *= 2;
  return { width, ahead, columns };
}

/** Compiles a kernel once for each plan that the sizes need, and picks by size. */
export async function compilePlans<P extends ParamTypes>(
  sizes: readonly GemvSize[],
  planOf: (size: GemvSize) => GemvPlan,
  compile: (plan: GemvPlan) => Promise<Kernel<P>>,
): Promise<(size: GemvSize) => Kernel<P>> {
  const plans = new Map(sizes.map(planOf).map((plan) => [keyOf(plan), plan]));
  const compiled = await Promise.all(
    [...plans].map(async ([key, plan]) => ({ key, plan, kernel: await compile(plan) })),
  );
  return (size) => {
    const wanted = planOf(size);
    const found =
      compiled.find(({ key }) => key === keyOf(wanted)) ??
      compiled.find(({ plan }) => plan.columns === wanted.columns);
    if (found) return found.kernel;
    throw new RangeError(`no kernel for rows of ${size.columns}`);
  };
}

function keyOf({ width, ahead, columns }: GemvPlan): string {
  return `${width} ${ahead} ${columns}`;
}
