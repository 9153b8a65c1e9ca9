import type { Gpu } from "../../gpu";
import type { Recorder } from "../../recorder";
import { KV_CODE, type KvType } from "../common/kvType";
import mergeKv from "./merge_kv.wgsl?raw";

const WORKGROUP = 64;

export interface MergeKvArgs {
  /** u32: header [layers, heads, 4], starts and rows; see `merge_kv.wgsl`. */
  readonly lists: GPUBuffer;
  readonly source: GPUBuffer;
  readonly target: GPUBuffer;
  readonly heads: number;
  readonly layer: number;
  /** Largest number of kept rows of a head. */
  readonly kept: number;
  /** Weight of a merged row: 1 for a plain mean, 1/2 for LOOK-M's pivot. */
  readonly share: number;
}

export type MergeKv = (recorder: Recorder, args: MergeKvArgs) => void;

/** @throws KernelCompileError */
export async function createMergeKv(gpu: Gpu, kvType: KvType, headDim: number): Promise<MergeKv> {
  const rowVec4 = headDim / 4;
  const kernel = await gpu.compile({
    label: `merge_kv ${kvType}`,
    code: [KV_CODE[kvType], mergeKv],
    access: ["read", "read", "write"],
    params: { heads: "u32", layer: "u32", share: "f32" },
    constants: { WORKGROUP, ROW_VEC4: rowVec4 },
  });
  return (recorder, { lists, source, target, heads, layer, kept, share }) => {
    if (kept === 0) return;
    recorder.dispatch(kernel, {
      buffers: [lists, source, target],
      params: { heads, layer, share },
      groups: [Math.ceil((kept * rowVec4) / WORKGROUP), heads],
    });
  };
}
