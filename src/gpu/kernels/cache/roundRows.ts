import type { Gpu } from "../../gpu";
import { compileCall, type KernelCall } from "../common/kernelCall";
import { type Reduction, reductionCode, unitGroups } from "../common/reduction";
import type { CacheBinding, HeadShape } from "../kv/cacheBinding";
import { kvCode } from "../kv/kvCode";
import { type KvType, kvGroups } from "../kv/kvType";
import wgsl from "./round_rows.wgsl?raw";

/** Keys and values of a chunk before they are rounded. */
export interface NewRows {
  /** A cache of one layer in f32 for `stride` rows per head, none of them in use. */
  readonly binding: CacheBinding;
  readonly stride: number;
}

interface RoundRowsArgs {
  readonly from: NewRows;
  readonly cache: CacheBinding;
  readonly rows: number;
}

export type RoundRows = KernelCall<RoundRowsArgs>;

/** Appends new rows to a cache of codes. */
export function createRoundRows(
  gpu: Gpu,
  kvType: KvType,
  { kvHeads, headDim }: Pick<HeadShape, "kvHeads" | "headDim">,
  reduction: Reduction,
): Promise<RoundRows> {
  const { code, enable, constants } = reductionCode(reduction, gpu);
  const kv = kvCode(kvType, headDim, { store: ["keys", "values"] });
  return compileCall(
    gpu,
    {
      label: `round_rows ${reduction} ${kvType}`,
      code: [code, ...kv.code, wgsl],
      access: ["read", "read", "read", "write", "write"],
      params: { rows: "u32", kvHeads: "u32", stride: "u32", layer: "u32" },
      enable,
      constants: { ...constants, ...kv.constants },
    },
    ({ from: { binding, stride }, cache, rows }) => ({
      buffers: [binding.keys, binding.values, cache.table, cache.keys, cache.values],
      params: { rows, kvHeads, stride, layer: cache.layer },
      groups: unitGroups(reduction, rows * kvHeads * 2 * kvGroups(kvType, headDim)),
    }),
  );
}
