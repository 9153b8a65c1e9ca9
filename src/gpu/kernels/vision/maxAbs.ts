import type { Gpu } from "../../gpu";
import type { Slice } from "../../kernel";
import type { Recorder } from "../../recorder";
import { foldGroups } from "../common/reduction";
import wgsl from "./max_abs.wgsl?raw";

interface MaxAbsArgs {
  /** f32 [length] */
  readonly input: Slice;
  /** u32 [1]: bits of the largest magnitude, so far and afterwards. */
  readonly most: Slice;
  /** A multiple of 4. */
  readonly length: number;
}

export type MaxAbs = (recorder: Recorder, args: MaxAbsArgs) => void;

/** The largest magnitude of a buffer's numbers. */
export async function createMaxAbs(gpu: Gpu): Promise<MaxAbs> {
  const kernel = await gpu.compile({
    label: "max_abs",
    code: [wgsl],
    access: ["read", "write"],
    params: { length4: "u32" },
  });

  return (recorder, { input, most, length }) =>
    recorder.dispatch(kernel, {
      buffers: [input, most],
      params: { length4: length / 4 },
      groups: foldGroups(Math.ceil(length / 4 / 1024)),
    });
}
