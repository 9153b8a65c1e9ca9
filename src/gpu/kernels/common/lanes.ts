import type { Groups } from "../../recorder";
import one from "./lanes_one.wgsl?raw";
import subgroup from "./lanes_subgroup.wgsl?raw";
import workgroup from "./lanes_workgroup.wgsl?raw";

/**
 * Who shares a unit of work in kernels with reductions: one invocation, a workgroup that meets in
 * shared memory, or a workgroup that meets in subgroups first.
 */
export type Lanes = "one" | "workgroup" | "subgroup";

/** What a kernel needs to be compiled with `lanes`; spread `constants` and `enable` into its spec. */
export interface LanesCode {
  readonly code: string;
  readonly enable: readonly string[];
  readonly constants: Readonly<Record<string, number>>;
}

const WORKGROUP: Readonly<Record<Lanes, number>> = { one: 16, workgroup: 64, subgroup: 64 };
const CODE: Readonly<Record<Lanes, string>> = { one, workgroup, subgroup };

export function lanesCode(lanes: Lanes): LanesCode {
  return {
    code: CODE[lanes],
    enable: lanes === "subgroup" ? ["subgroups"] : [],
    constants: { WORKGROUP: WORKGROUP[lanes] },
  };
}

/** Dispatch size for `units` of work. */
export function unitGroups(lanes: Lanes, units: number): Groups {
  return foldGroups(lanes === "one" ? Math.ceil(units / WORKGROUP.one) : units);
}

/** A count of workgroups that may exceed 65535, folded into y; kernels undo it with `y * 65535 + x`. */
export function foldGroups(groups: number): Groups {
  return groups <= 65535 ? [groups] : [65535, Math.ceil(groups / 65535)];
}
