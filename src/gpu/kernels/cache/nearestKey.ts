import type { Gpu } from "../../gpu";
import type { Recorder } from "../../recorder";
import { kvCode } from "../kv/kvCode";
import type { KvType } from "../kv/kvType";
import nearestKey from "./nearest_key.wgsl?raw";

const WORKGROUP = 64;
const BLOCK = 4;

interface NearestKeyArgs {
  /** u32: header [layers, heads, 4], rows, then the spans' starts; see `nearest_key.wgsl`. */
  readonly lists: GPUBuffer;
  readonly keys: GPUBuffer;
  /** u32, as long as `lists`. */
  readonly nearest: GPUBuffer;
  readonly heads: number;
  readonly layer: number;
  /** Word of `lists` where the spans' starts begin. */
  readonly starts: number;
  /** Largest number of dropped rows of a head. */
  readonly dropped: number;
}

type NearestKey = (recorder: Recorder, args: NearestKeyArgs) => void;

/** @throws KernelCompileError */
export async function createNearestKey(
  gpu: Gpu,
  kvType: KvType,
  headDim: number,
): Promise<NearestKey> {
  const kv = kvCode(kvType, headDim, { read: ["keys"] });
  const kernel = await gpu.compile({
    label: `nearest_key ${kvType}`,
    code: [...kv.code, nearestKey],
    access: ["read", "read", "write"],
    params: { heads: "u32", layer: "u32", starts: "u32" },
    constants: { ...kv.constants, WORKGROUP },
  });
  return (recorder, { lists, keys, nearest, heads, layer, starts, dropped }) => {
    if (dropped === 0) return;
    recorder.dispatch(kernel, {
      buffers: [lists, keys, nearest],
      params: { heads, layer, starts },
      groups: [Math.ceil(dropped / (BLOCK * WORKGROUP)), heads],
    });
  };
}
