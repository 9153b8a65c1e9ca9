import type { Gpu } from "../../gpu";
import type { Recorder } from "../../recorder";
import { type Reduction, reductionCode, unitGroups } from "../common/reduction";
import { kvCode } from "../kv/kvCode";
import { type KvType, kvMarks } from "../kv/kvType";
import mergeKv from "./merge_kv.wgsl?raw";

interface MergeKvArgs {
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
export async function createMergeKv(
  gpu: Gpu,
  kvType: KvType,
  headDim: number,
  reduction: Reduction,
): Promise<MergeKv> {
  const { code, enable, constants } = reductionCode(reduction, gpu);
  const kv = kvCode(kvType, headDim, { read: ["source_rows"], store: ["target_rows"] });
  const kernel = await gpu.compile({
    label: `merge_kv ${kvType}`,
    code: [code, ...kv.code, mergeKv],
    access: ["read", "read", "write"],
    params: { heads: "u32", layer: "u32", share: "f32" },
    enable,
    constants: { ...constants, ...kv.constants },
  });
  return (recorder, { lists, source, target, heads, layer, kept, share }) => {
    if (kept === 0) return;
    const [x, y = 1] = unitGroups(reduction, kept * kvMarks(kvType, headDim));
    recorder.dispatch(kernel, {
      buffers: [lists, source, target],
      params: { heads, layer, share },
      groups: [x, y, heads],
    });
  };
}
