import type { Gpu } from "../../gpu";
import { compileCall, type KernelCall } from "../common/kernelCall";
import { foldGroups } from "../common/reduction";
import { kvCode } from "../kv/kvCode";
import { type KvType, kvUnits } from "../kv/kvType";
import gatherKv from "./gather_kv.wgsl?raw";

const WORKGROUP = 64;

/** Keys and values of a layer. */
interface Rows {
  readonly k: GPUBuffer;
  readonly v: GPUBuffer;
}

export interface GatherKvArgs {
  /** u32: header [layers, heads, 4], then the lists; see `gather_kv.wgsl` and `merge_kv.wgsl`. */
  readonly lists: GPUBuffer;
  readonly source: Rows;
  readonly target: Rows;
  readonly heads: number;
  readonly layer: number;
  /** Most rows of a head after the plan. */
  readonly rows: number;
}

export type GatherKv = KernelCall<GatherKvArgs>;

/** @throws KernelCompileError */
export function createGatherKv(gpu: Gpu, kvType: KvType, headDim: number): Promise<GatherKv> {
  const kv = kvCode(kvType, headDim);
  return compileCall(
    gpu,
    {
      label: `gather_kv ${kvType}`,
      code: [...kv.code, gatherKv],
      access: ["read", "read", "read", "write", "write"],
      params: { heads: "u32", layer: "u32" },
      constants: { ...kv.constants, WORKGROUP },
    },
    ({ lists, source, target, heads, layer, rows }: GatherKvArgs) => {
      const [x, y = 1] = foldGroups(Math.ceil((rows * kvUnits(kvType, headDim)) / WORKGROUP));
      return {
        buffers: [lists, source.k, source.v, target.k, target.v],
        params: { heads, layer },
        groups: [x, y, heads],
      };
    },
  );
}
