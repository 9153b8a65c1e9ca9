import type { Gpu } from "../../gpu";
import type { Slice } from "../../kernel";
import type { Recorder } from "../../recorder";
import { foldGroups } from "../common/reduction";
import wgsl from "./blend_rows.wgsl?raw";

interface BlendRowsArgs {
  /** f32 [any, width] */
  readonly input: Slice;
  /** u32 [rows, parts]: rows of `input`. */
  readonly indices: Slice;
  /** f32 [rows, parts] */
  readonly weights: Slice;
  /** f32 [rows, width] */
  readonly output: Slice;
  readonly rows: number;
  readonly parts: number;
  /** A multiple of 4. */
  readonly width: number;
}

export type BlendRows = (recorder: Recorder, args: BlendRowsArgs) => void;

/** Weighted sums of rows by index. */
export async function createBlendRows(gpu: Gpu): Promise<BlendRows> {
  const kernel = await gpu.compile({
    label: "blend_rows",
    code: [wgsl],
    access: ["read", "read", "read", "write"],
    params: { rows: "u32", parts: "u32", width4: "u32" },
  });

  return (recorder, { input, indices, weights, output, rows, parts, width }) =>
    recorder.dispatch(kernel, {
      buffers: [input, indices, weights, output],
      params: { rows, parts, width4: width / 4 },
      groups: foldGroups(Math.ceil((rows * width) / 4 / 64)),
    });
}
