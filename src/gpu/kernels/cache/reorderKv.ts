import type { Gpu } from "../../gpu";
import { compileCall, type KernelCall } from "../common/kernelCall";
import { KV_CODE, type KvType } from "../common/kvType";
import reorderKv from "./reorder_kv.wgsl?raw";

const WORKGROUP = 64;

export interface ReorderKvArgs {
  /** u32: header [layers, heads, 4], then cycles; see `reorder_kv.wgsl`. */
  readonly lists: GPUBuffer;
  /** One layer's K or V, permuted in place. */
  readonly cache: GPUBuffer;
  readonly heads: number;
  readonly layer: number;
}

/** @throws KernelCompileError */
export function createReorderKv(
  gpu: Gpu,
  kvType: KvType,
  headDim: number,
): Promise<KernelCall<ReorderKvArgs>> {
  const rowVec4 = headDim / 4;
  const spec = {
    label: `reorder_kv ${kvType}`,
    code: [KV_CODE[kvType], reorderKv],
    access: ["read", "write"],
    params: { heads: "u32", layer: "u32" },
    constants: { WORKGROUP, ROW_VEC4: rowVec4 },
  } as const;
  return compileCall(gpu, spec, ({ lists, cache, heads, layer }) => ({
    buffers: [lists, cache],
    params: { heads, layer },
    groups: [Math.ceil((heads * rowVec4) / WORKGROUP)],
  }));
}
