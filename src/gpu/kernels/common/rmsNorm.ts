import type { Gpu } from "../../gpu";
import type { Slice } from "../../kernel";
import type { Recorder } from "../../recorder";
import { type Reduction, reductionCode, unitGroups } from "./reduction";
import wgsl from "./rms_norm.wgsl?raw";

interface RmsNormArgs {
  /** f32 [rows, width] */
  readonly input: Slice;
  /** f32 [width] */
  readonly weight: Slice;
  /** f32 [rows, width] */
  readonly output: Slice;
  readonly rows: number;
  /** A multiple of 4. */
  readonly width: number;
  readonly epsilon: number;
}

export type RmsNorm = (recorder: Recorder, args: RmsNormArgs) => void;

/** Root-mean-square norm of each row. */
export async function createRmsNorm(gpu: Gpu, reduction: Reduction): Promise<RmsNorm> {
  const { code, enable, constants } = reductionCode(reduction, gpu);
  const kernel = await gpu.compile({
    label: `rms_norm ${reduction}`,
    code: [code, wgsl],
    access: ["read", "read", "write"],
    params: { rows: "u32", width4: "u32", epsilon: "f32" },
    enable,
    constants,
  });

  return (recorder, { input, weight, output, rows, width, epsilon }) =>
    recorder.dispatch(kernel, {
      buffers: [input, weight, output],
      params: { rows, width4: width / 4, epsilon },
      groups: unitGroups(reduction, rows),
    });
}
