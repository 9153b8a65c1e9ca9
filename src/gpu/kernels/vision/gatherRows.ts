import type { Gpu } from "../../gpu";
import type { Slice } from "../../kernel";
import type { Recorder } from "../../recorder";
import { foldGroups } from "../common/reduction";
import wgsl from "./gather_rows.wgsl?raw";

interface GatherRowsArgs {
  /** f32 [any, width] */
  readonly input: Slice;
  /** u32 [rows, parts]: rows of `input`. */
  readonly indices: Slice;
  /** f32 [rows, parts × width] */
  readonly output: Slice;
  readonly rows: number;
  readonly parts: number;
  /** A multiple of 4. */
  readonly width: number;
}

export type GatherRows = (recorder: Recorder, args: GatherRowsArgs) => void;

/** Rows by index, `parts` of them side by side. */
export async function createGatherRows(gpu: Gpu): Promise<GatherRows> {
  const kernel = await gpu.compile({
    label: "gather_rows",
    code: [wgsl],
    access: ["read", "read", "write"],
    params: { rows: "u32", parts: "u32", width4: "u32" },
  });

  return (recorder, { input, indices, output, rows, parts, width }) =>
    recorder.dispatch(kernel, {
      buffers: [input, indices, output],
      params: { rows, parts, width4: width / 4 },
      groups: foldGroups(Math.ceil((rows * parts * width) / 4 / 64)),
    });
}
