import type { FlashVariant } from "./kernels/attention/flash";
import type { Lanes } from "./kernels/common/lanes";
import type { MatmulVariant } from "./kernels/matmul/matmul";

/** Which form of each hot kernel runs on an adapter. */
export interface Variants {
  readonly lanes: Lanes;
  readonly matmul: MatmulVariant;
  readonly flash: FlashVariant;
}

/** Nothing but loops: right everywhere. */
export const PLAIN: Variants = { lanes: "one", matmul: "registers", flash: "plain" };

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
  const lanes = hasSubgroups ? "subgroup" : "workgroup";
  return { lanes, matmul: "tiled", flash: "tiled" };
}
