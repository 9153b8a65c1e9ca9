import type { Gpu } from "../../gpu";
import type { Slice } from "../../kernel";
import type { Recorder } from "../../recorder";
import { type Reduction, reductionCode, unitGroups } from "../common/reduction";
import wgsl from "./layer_norm.wgsl?raw";

interface LayerNormArgs {
  /** f32 [rows, width] */
  readonly input: Slice;
  /** f32 [width] */
  readonly weight: Slice;
  /** f32 [width] */
  readonly bias: Slice;
  /** f32 [rows, width] */
  readonly output: Slice;
  readonly rows: number;
  /** A multiple of 4. */
  readonly width: number;
  readonly epsilon: number;
}

export type LayerNorm = (recorder: Recorder, args: LayerNormArgs) => void;

/** Layer normalization of each row. */
export async function createLayerNorm(gpu: Gpu, reduction: Reduction): Promise<LayerNorm> {
  const { code, enable, constants } = reductionCode(reduction, gpu);
  const kernel = await gpu.compile({
    label: `layer_norm ${reduction}`,
    code: [code, wgsl],
    access: ["read", "read", "read", "write"],
    params: { rows: "u32", width4: "u32", epsilon: "f32" },
    enable,
    constants,
  });

  return (recorder, { input, weight, bias, output, rows, width, epsilon }) =>
    recorder.dispatch(kernel, {
      buffers: [input, weight, bias, output],
      params: { rows, width4: width / 4, epsilon },
      groups: unitGroups(reduction, rows),
    });
}
