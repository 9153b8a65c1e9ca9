import type { AttendVariant } from "./kernels/attention/attendDivision";
import type { FlashVariant } from "./kernels/attention/flash";
import type { Reduction } from "./kernels/common/reduction";
import type { MatmulVariant } from "./kernels/matmul/matmul";

/** The variant of each performance-critical kernel on an adapter. */
export interface Variants {
  readonly reduction: Reduction;
  readonly matmul: MatmulVariant;
  readonly flash: FlashVariant;
  /** Of a decoding step's attention, unless `reduction` is `one`. */
  readonly attend: AttendVariant;
}

/** Plain loops only; correct on every adapter. */
export const PLAIN: Variants = {
  reduction: "one",
  matmul: "registers",
  flash: "plain",
  attend: "wide",
};

/** The adapter's properties that decide the variants. */
interface AdapterTraits {
  /** A software adapter: a barrier costs microseconds, and a load more than a multiplication. */
  readonly isFallback: boolean;
  readonly hasSubgroups: boolean;
}

/** What an adapter runs before anything is measured; the self-test may replace it, and tuning. */
export function chooseVariants({ isFallback, hasSubgroups }: AdapterTraits): Variants {
  if (isFallback) {
    return hasSubgroups ? { ...PLAIN, matmul: "subgroup", flash: "subgroup" } : PLAIN;
  }
  const reduction = hasSubgroups ? "subgroup" : "workgroup";
  return { reduction, matmul: "tiled", flash: "tiled", attend: "wide" };
}
