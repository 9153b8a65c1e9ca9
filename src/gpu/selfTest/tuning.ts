import type { Gpu } from "../gpu";
import { ATTEND_DIVISIONS, type AttendVariant } from "../kernels/attention/attendDivision";
import type { Reduction } from "../kernels/common/reduction";
import type { MatmulVariant } from "../kernels/matmul/matmul";
import type { CheckSpec } from "./checkRun";
import { type SelfTestResult, selfTest } from "./selfTest";
import { attendMs, matmulMs, reductionMs, type TuningSize } from "./tunedTimes";

/** Milliseconds after which no other candidate is timed. */
const BUDGET_MS = 700;
/** How much faster than the chosen variant another one must be, because measured times vary. */
const GAIN = 1.2;
const SIZE: TuningSize = { rows: 256, width: 1024, cacheRows: [1024, 8192] };

/**
 * Times the variants that this adapter could run and takes those that are clearly faster than the chosen ones: products
 * of a prefill (`matmul`) and of a decoding step (`reduction`), and divisions of a step's attention (`attend`). What it takes passes
 * the self-test, or nothing changes.
 * @param tested what the self-test has accepted
 */
export async function tune(
  gpu: Gpu,
  tested: SelfTestResult,
  spec: CheckSpec,
  size: TuningSize = SIZE,
): Promise<SelfTestResult> {
  const { variants } = tested;
  const { shape, kvType } = spec;
  const { subgroups, f16 } = gpu.features;
  const started = performance.now();
  const hasTime = () => performance.now() - started < BUDGET_MS;
  const dtype = spec.dtypes[0] ?? "f16";
  const matmuls: MatmulVariant[] = [
    "tiled",
    "registers",
    ...(f16 ? ["tiledF16" as const] : []),
    ...(subgroups ? ["subgroup" as const] : []),
  ];
  const reductions: Reduction[] = ["workgroup", ...(subgroups ? ["subgroup" as const] : [])];
  const matmul = await fastest(variants.matmul, matmuls, hasTime, (variant) =>
    matmulMs(gpu, variant, dtype, size),
  );
  const reduction = await fastest(variants.reduction, reductions, hasTime, (candidate) =>
    reductionMs(gpu, candidate, { kvType, dtype }, size),
  );
  // Without shared memory there is one division.
  const divisions = reduction === "one" ? [] : (Object.keys(ATTEND_DIVISIONS) as AttendVariant[]);
  const attend = await fastest(variants.attend, divisions, hasTime, (variant) =>
    attendMs(gpu, { variant, reduction, shape, kvType }, size),
  );
  const tuned = { ...variants, matmul, reduction, attend };
  const isSame =
    matmul === variants.matmul && reduction === variants.reduction && attend === variants.attend;
  if (isSame) return tested;
  const again = await selfTest(gpu, tuned, spec).catch(() => tested);
  return again.notices.length > 0 ? tested : { ...again, notices: tested.notices };
}

/**
 * The candidate with the least time, if it is faster than `chosen` by `GAIN`. One that fails is passed over; if `chosen`
 * fails or there is no time, nothing changes.
 */
export async function fastest<V>(
  chosen: V,
  candidates: readonly V[],
  hasTime: () => boolean,
  time: (candidate: V) => Promise<number>,
): Promise<V> {
  const timed = (candidate: V) => time(candidate).catch(() => Number.POSITIVE_INFINITY);
  if (candidates.length === 0) return chosen;
  let best = chosen;
  let bound = hasTime() ? (await timed(chosen)) / GAIN : 0;
  if (bound === Number.POSITIVE_INFINITY) return chosen;
  for (const candidate of candidates) {
    if (candidate === chosen || !hasTime()) continue;
    const ms = await timed(candidate);
    if (ms < bound) [best, bound] = [candidate, ms];
  }
  return best;
}
