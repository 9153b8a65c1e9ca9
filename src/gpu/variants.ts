import type { FlashVariant } from "./kernels/attention/flash";
import type { Reduction } from "./kernels/common/reduction";
import type { MatmulVariant } from "./kernels/matmul/matmul";

/** Which form of each hot kernel runs on an adapter. */
export interface Variants {
  readonly reduction: Reduction;
  readonly matmul: MatmulVariant;
  readonly flash: FlashVariant;
}

/** Nothing but loops: right everywhere. */
export const PLAIN: Variants = { reduction: "one", matmul: "registers", flash: "plain" };

/** What the choice depends on. */
export interface AdapterTraits {
  /** A software adapter: there a barrier costs microseconds, and a load more than a product. */
  readonly isFallback: boolean;
  readonly hasSubgroups: boolean;
}

export function chooseVariants({ isFallback, hasSubgroups }: AdapterTraits): Variants {
  if (isFallback) {
    return hasSubgroups ? { ...PLAIN, matmul: "subgroup", flash: "subgroup" } : PLAIN;
  }
  const reduction = hasSubgroups ? "subgroup" : "workgroup";
  return { reduction, matmul: "tiled", flash: "tiled" };
}
