import type { Gpu } from "../../gpu";
import { compileCall, type KernelCall } from "../common/kernelCall";
import { kvCode } from "../kv/kvCode";
import { type KvType, kvUnits } from "../kv/kvType";
import reorderKv from "./reorder_kv.wgsl?raw";

const WORKGROUP = 64;

interface ReorderKvArgs {
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
  const kv = kvCode(kvType, headDim);
  const spec = {
    label: `reorder_kv ${kvType}`,
    code: [...kv.code, reorderKv],
    access: ["read", "write"],
    params: { heads: "u32", layer: "u32" },
    constants: { ...kv.constants, WORKGROUP },
  } as const;
  return compileCall(gpu, spec, ({ lists, cache, heads, layer }) => ({
    buffers: [lists, cache],
    params: { heads, layer },
    groups: [Math.ceil((heads * kvUnits(kvType, headDim)) / WORKGROUP)],
  }));
}
