import type { Gpu } from "@/gpu/gpu";
import type { Recorder } from "@/gpu/recorder";
import type { PassTimes } from "../passTimes";

/** Passes in a row: a GPU that has been idle runs the first ones at a lower clock. */
const RUNS = 8;

/** A kernel variant's time on one problem. */
export interface Trial {
  readonly work: string;
  readonly variant: string;
  /** Microseconds of one dispatch, behind others of its kind in one pass; the fastest of several passes. */
  readonly us: number;
  /** Bytes that a dispatch must read, or the operations of a product. */
  readonly bytes?: number;
  readonly flops?: number;
}

/** Where trials run. Without `times`, the clock of the CPU counts. */
export interface TrialContext {
  readonly gpu: Gpu;
  readonly times: PassTimes | undefined;
}

/**
 * Microseconds per dispatch of what `record` records, all in one compute pass. Without timestamps the
 * clock of the CPU counts.
 */
export async function dispatchTime(
  { gpu, times }: TrialContext,
  record: (recorder: Recorder) => void,
): Promise<number> {
  const recorder = gpu.recorder("trial", 1024);
  record(recorder);
  const program = recorder.program();
  const { queue } = gpu.device;
  const submit = () => {
    const encoder = gpu.device.createCommandEncoder();
    program.encode(encoder, "trial");
    queue.submit([encoder.finish()]);
  };
  const found: number[] = [];
  if (times) {
    const passes = await times.run("pass", async () => {
      for (let run = 0; run < RUNS; run++) submit();
      await queue.onSubmittedWorkDone();
    });
    found.push(...passes.map(({ us }) => us));
  } else {
    for (let run = 0; run < RUNS; run++) {
      const started = performance.now();
      submit();
      await queue.onSubmittedWorkDone();
      found.push((performance.now() - started) * 1000);
    }
  }
  const { dispatches } = program;
  program.destroy();
  return Math.min(...found) / dispatches;
}
