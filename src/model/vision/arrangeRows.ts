import type { Gpu } from "@/gpu/gpu";
import type { BlendRows } from "@/gpu/kernels/vision/blendRows";
import type { RowArrangement } from "../families/family";
import { runOnce } from "../scratch";

interface EncodedRows {
  /** f32 [count + 1, width] if there is a `newline`, else [count, width]. */
  readonly rows: GPUBuffer;
  readonly count: number;
  /** f32 [width], the row that ends a line, where the family has that. */
  readonly newline: GPUBuffer | undefined;
  readonly width: number;
}

/** Rows of the prompt, in a new buffer, from those that were encoded; index `count` is the newline row. */
export function arrangeRows(
  gpu: Gpu,
  blend: BlendRows,
  { rows: encoded, count, newline, width }: EncodedRows,
  arrangement: RowArrangement,
): GPUBuffer {
  const { memory, device } = gpu;
  const { rows, parts } = arrangement;
  if (newline) {
    const encoder = device.createCommandEncoder({ label: "newline" });
    encoder.copyBufferToBuffer(newline, 0, encoded, count * width * 4, width * 4);
    device.queue.submit([encoder.finish()]);
  }
  return memory.allOrNothing(() => {
    const output = memory.storage("vision", "image features", rows * width * 4);
    runOnce(gpu, "arrangement", 1, (scratch, recorder) => {
      const indices = scratch.upload("indices", arrangement.indices);
      const weights = scratch.upload("weights", arrangement.weights);
      blend(recorder, { input: encoded, indices, weights, output, rows, parts, width });
      recorder.submit();
    });
    return output;
  });
}
