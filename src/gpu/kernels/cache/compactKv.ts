import type { Gpu } from "../../gpu";
import type { Recorder } from "../../recorder";
import { KV_CODE, type KvType } from "../common/kvType";
import compactKv from "./compact_kv.wgsl?raw";

const WORKGROUP = 64;

export interface CompactKvArgs {
  /** u32 header [layers, heads, 4], then the lists; see `compact_kv.wgsl`. */
  readonly lists: GPUBuffer;
  /** One layer's K or V, compacted in place. */
  readonly cache: GPUBuffer;
  readonly heads: number;
  readonly layer: number;
}

export type CompactKv = (recorder: Recorder, args: CompactKvArgs) => void;

/** @throws KernelCompileError */
export async function createCompactKv(
  gpu: Gpu,
  kvType: KvType,
  headDim: number,
): Promise<CompactKv> {
  const rowVec4 = headDim / 4;
  const kernel = await gpu.compile({
    label: `compact_kv ${kvType}`,
    code: [KV_CODE[kvType], compactKv],
    access: ["read", "write"],
    params: { heads: "u32", layer: "u32" },
    constants: { WORKGROUP, ROW_VEC4: rowVec4 },
  });
  return (recorder, { lists, cache, heads, layer }) =>
    recorder.dispatch(kernel, {
      buffers: [lists, cache],
      params: { heads, layer },
      groups: [Math.ceil((heads * rowVec4) / WORKGROUP)],
    });
}
