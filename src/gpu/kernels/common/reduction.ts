import type { Gpu } from "../../gpu";
import type { Groups } from "../../kernel";
import one from "./reduction_one.wgsl?raw";
import subgroup from "./reduction_subgroup.wgsl?raw";
import workgroup from "./reduction_workgroup.wgsl?raw";

/**
 * Who shares a unit of work in kernels with reductions: one invocation, a workgroup that meets in
 * shared memory, or a workgroup that meets in subgroups first.
 */
export type Reduction = "one" | "workgroup" | "subgroup";

/** The parts of a kernel's spec for a reduction; spread `constants` and `enable` into the spec. */
interface ReductionCode {
  readonly code: string;
  readonly enable: readonly string[];
  readonly constants: Readonly<Record<string, number>>;
}

const WORKGROUP: Readonly<Record<Reduction, number>> = { one: 16, workgroup: 64, subgroup: 64 };
const CODE: Readonly<Record<Reduction, string>> = { one, workgroup, subgroup };

/** @param gpu its subgroup size becomes a constant, if it has only one */
export function reductionCode(reduction: Reduction, gpu?: Gpu): ReductionCode {
  const size = reduction === "subgroup" ? onlySubgroupSize(gpu) : undefined;
  return {
    code: CODE[reduction],
    enable: reduction === "subgroup" ? ["subgroups"] : [],
    constants: { WORKGROUP: WORKGROUP[reduction], ...(size && { SUBGROUP: size }) },
  };
}

/** The size of every subgroup of an adapter, if it does not vary and divides all workgroups. */
function onlySubgroupSize(gpu: Gpu | undefined): number | undefined {
  const { subgroupMinSize: least, subgroupMaxSize: most } = gpu?.device?.adapterInfo ?? {};
  return least === most && most && most <= WORKGROUP.subgroup ? most : undefined;
}

/** Dispatch size for `units` of work. */
export function unitGroups(reduction: Reduction, units: number): Groups {
  return foldGroups(reduction === "one" ? Math.ceil(units / WORKGROUP.one) : units);
}

/** Folds a count of workgroups above 65535 into y; kernels recover the index as `y * 65535 + x`. */
export function foldGroups(groups: number): Groups {
  return groups <= 65535 ? [groups] : [65535, Math.ceil(groups / 65535)];
}
