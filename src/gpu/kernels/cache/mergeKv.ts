import type { Gpu } from "../../gpu";
import { compileCall, type KernelCall } from "../common/kernelCall";
import { type Reduction, reductionCode, unitGroups } from "../common/reduction";
import { kvCode } from "../kv/kvCode";
import { type KvType, kvGroups } from "../kv/kvType";
import type { GatherKvArgs } from "./gatherKv";
import mergeKv from "./merge_kv.wgsl?raw";

interface MergeKvArgs extends GatherKvArgs {
  /** Weight of a merged row: 1 for a plain mean, 1/2 for LOOK-M's pivot. */
  readonly share: number;
}

export type MergeKv = KernelCall<MergeKvArgs>;

/** @throws KernelCompileError */
export function createMergeKv(
  gpu: Gpu,
  kvType: KvType,
  headDim: number,
  reduction: Reduction,
): Promise<MergeKv> {
  const { code, enable, constants } = reductionCode(reduction, gpu);
  const kv = kvCode(kvType, headDim, {
    read: ["keys", "values"],
    store: ["new_keys", "new_values"],
  });
  return compileCall(
    gpu,
    {
      label: `merge_kv ${kvType}`,
      code: [code, ...kv.code, mergeKv],
      access: ["read", "read", "read", "write", "write"],
      params: { heads: "u32", layer: "u32", share: "f32" },
      enable,
      constants: { ...constants, ...kv.constants },
    },
    ({ lists, source, target, heads, layer, rows, share }: MergeKvArgs) => {
      const [x, y = 1] = unitGroups(reduction, rows * kvGroups(kvType, headDim));
      return {
        buffers: [lists, source.k, source.v, target.k, target.v],
        params: { heads, layer, share },
        groups: [x, y, heads],
      };
    },
  );
}
