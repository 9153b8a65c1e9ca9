import type { PassTimes } from "@/bench/passTimes";
import type { AdapterFacts } from "@/gpu/device";
import type { Gpu } from "@/gpu/gpu";
import type { KvType } from "@/gpu/kernels/kv/kvType";
import type { Variants } from "@/gpu/variants";
import { numberList, numberOption } from "../shared/options";
import type { Report } from "./report";

/** What every measurement has: the device, what it can do, and how much to measure. */
export interface Bench {
  readonly gpu: Gpu;
  readonly adapter: AdapterFacts;
  readonly variants: Variants;
  readonly kvType: KvType;
  /** Undefined if the adapter has no timestamps. */
  readonly times: PassTimes | undefined;
  /** Bytes a second of a copying kernel. */
  readonly copy: number | undefined;
  readonly sizes: Sizes;
  readonly report: Report;
}

/** How much is measured. */
export interface Sizes {
  readonly models: readonly string[];
  readonly rows: readonly number[];
  readonly prefill: readonly number[];
  readonly steps: number;
  readonly repeats: number;
  /** Most that weights and caches may take. */
  readonly memoryGb: number;
}

/** The command line's words for what is measured. @throws with exitCode 2 */
export function sizesOf(
  values: Readonly<Record<"rows" | "prefill" | "steps" | "repeats" | "memory-gb", string>>,
): Omit<Sizes, "models"> {
  const count = { from: 1, to: 1e6, isWhole: true } as const;
  return {
    rows: numberList("rows", values.rows, count),
    prefill: numberList("prefill", values.prefill, count),
    steps: numberOption("steps", values.steps, count),
    repeats: numberOption("repeats", values.repeats, count),
    memoryGb: numberOption("memory-gb", values["memory-gb"], { above: 0, to: 1e6 }),
  };
}
