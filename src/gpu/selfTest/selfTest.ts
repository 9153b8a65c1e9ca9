import type { Gpu } from "../gpu";
import { PLAIN, type Variants } from "../variants";
import { checkFlash } from "./attentionChecks";
import type { CheckSpec } from "./checkRun";
import { checkMatmul, checkReductions } from "./checks";

/** Suits random numbers below one, summed in f32 over at most 128 of them, or stored as f16. */
const TOLERANCE = 1e-3;
/** With factors rounded to 11 bits: a product of two sums over 40 of them. */
const ROUNDED: Readonly<Partial<Record<Variants[Replaceable], number>>> = { tiledF16: 1e-2 };

export interface SelfTestResult {
  /** Variants that computed correct results. */
  readonly variants: Variants;
  /** One per variant that failed. */
  readonly notices: readonly KernelNotice[];
}

/** A variant that computed wrong results. */
interface KernelNotice {
  readonly code: "wrongKernels";
  readonly kind: Replaceable;
  readonly variant: string;
}

/** Even the plain kernels compute wrong results. */
export class SelfTestError extends Error {
  override readonly name = "SelfTestError";
}

/** Kinds that a plainer variant can replace: divisions of attention share a kernel, which is checked as a reduction. */
type Replaceable = Exclude<keyof Variants, "attend">;

/** Names of the kernels in errors. */
const NAMES: Readonly<Record<Replaceable, string>> = {
  reduction: "reduction kernels",
  matmul: "matrix kernels",
  flash: "attention kernels",
};

/**
 * Runs each selected kernel variant on a small problem of odd size and compares it with the CPU,
 * because some drivers compute wrong results with subgroups or shared memory without an error. A
 * variant that fails is replaced by a plainer one.
 * @throws SelfTestError
 */
export async function selfTest(
  gpu: Gpu,
  wanted: Variants,
  spec: CheckSpec,
): Promise<SelfTestResult> {
  const { attend } = wanted;
  const [matmul, flash, reduction] = await Promise.all([
    choose(
      "matmul",
      wanted.matmul === "tiledF16"
        ? ["tiledF16", "tiled", PLAIN.matmul]
        : plainest(wanted.matmul, PLAIN.matmul),
      (variant) => checkMatmul(gpu, variant, spec),
    ),
    choose("flash", plainest(wanted.flash, PLAIN.flash), (variant) =>
      checkFlash(gpu, variant, spec),
    ),
    choose(
      "reduction",
      wanted.reduction === "subgroup"
        ? ["subgroup", "workgroup", "one"]
        : plainest(wanted.reduction, "one"),
      (variant) => checkReductions(gpu, { reduction: variant, attend }, spec),
    ),
  ]);
  return {
    variants: {
      ...{ matmul: matmul.variant, flash: flash.variant },
      ...{ reduction: reduction.variant, attend },
    },
    notices: [matmul, flash, reduction].flatMap((chosen) => chosen.notices),
  };
}

/** The first of the candidates that computes correct results. @throws SelfTestError */
async function choose<K extends Replaceable>(
  kind: K,
  candidates: readonly Variants[K][],
  check: (variant: Variants[K]) => Promise<number>,
): Promise<{ readonly variant: Variants[K]; readonly notices: readonly KernelNotice[] }> {
  const notices: KernelNotice[] = [];
  for (const variant of candidates) {
    const error = await check(variant).catch(() => Infinity);
    if (error < (ROUNDED[variant] ?? TOLERANCE)) return { variant, notices };
    notices.push({ code: "wrongKernels", kind, variant });
  }
  throw new SelfTestError(`This graphics adapter computes wrong results (${NAMES[kind]}).`);
}

function plainest<T>(wanted: T, plain: T): readonly T[] {
  return wanted === plain ? [plain] : [wanted, plain];
}
