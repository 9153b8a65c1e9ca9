import type { Gpu } from "../../gpu";
import type { Slice } from "../../kernel";
import type { Recorder } from "../../recorder";
import { type Reduction, reductionCode, unitGroups } from "../common/reduction";
import type { HeadShape } from "../kv/cacheBinding";
import wgsl from "./head_norm.wgsl?raw";

interface HeadNormArgs {
  readonly shape: HeadShape;
  /** f32 [2, headDim]: weight for queries, weight for keys. */
  readonly weights: Slice;
  /** f32 [rows, heads + 2 kvHeads, headDim], changed in place; values are left as they are. */
  readonly qkv: Slice;
  readonly rows: number;
  readonly epsilon: number;
}

export type HeadNorm = (recorder: Recorder, args: HeadNormArgs) => void;

/** Root-mean-square norm of every query and key over its head. */
export async function createHeadNorm(gpu: Gpu, reduction: Reduction): Promise<HeadNorm> {
  const { code, enable, constants } = reductionCode(reduction, gpu);
  const kernel = await gpu.compile({
    label: `head_norm ${reduction}`,
    code: [code, wgsl],
    access: ["read", "write"],
    params: { rows: "u32", heads: "u32", kvHeads: "u32", depth4: "u32", epsilon: "f32" },
    enable,
    constants,
  });

  return (recorder, { shape: { heads, kvHeads, headDim }, weights, qkv, rows, epsilon }) =>
    recorder.dispatch(kernel, {
      buffers: [weights, qkv],
      params: { rows, heads, kvHeads, depth4: headDim / 4, epsilon },
      groups: unitGroups(reduction, rows * (heads + kvHeads)),
    });
}
