import type { Recorder } from "@/gpu/recorder";
import idle from "./idle.wgsl?raw";
import { dispatchTime, type Trial, type TrialContext } from "./trial";

const COUNT = 512;
/** Workgroups and their size. */
const GRIDS = [
  [1, 64],
  [128, 256],
  [512, 64],
  [512, 256],
  [2048, 64],
  [8192, 64],
] as const;
/** vec4 of shared memory. */
const SHARED = [1, 256, 640];

/** What a dispatch costs by itself: by its grid, its shared memory, and what changes between dispatches. */
export async function timeDispatches(
  context: TrialContext,
  count: number = COUNT,
): Promise<Trial[]> {
  const { gpu, times } = context;
  const compile = (workgroup: number, shared = 1) =>
    gpu.compile({
      label: "idle",
      code: [idle],
      access: ["write"],
      params: { value: "u32" },
      constants: { WORKGROUP: workgroup, SHARED: shared },
    });
  const outputs = Array.from({ length: 16 }, (_, index) =>
    gpu.memory.storage("activations", `idle ${index}`, 2 ** 18),
  );
  const [first, second] = await Promise.all([compile(64), compile(64, 2)]);
  const trials: Trial[] = [];
  const add = async (variant: string, record: (recorder: Recorder) => void) =>
    void trials.push({ work: "dispatch", variant, us: await dispatchTime(context, record) });
  /** `buffers`: how many outputs the dispatches use in turn; one makes each wait for the last. */
  const record = (recorder: Recorder, buffers: number, kernels = [first], groups = 1) => {
    for (let i = 0; i < count; i++) {
      recorder.dispatch(kernels[i % kernels.length]!, {
        buffers: [outputs[i % buffers]!],
        params: { value: i },
        groups: [groups],
      });
    }
  };
  await add("each waits for the last", (recorder) => record(recorder, 1));
  await add("each waits for the one 2 before", (recorder) => record(recorder, 2));
  await add("each waits for the one 16 before", (recorder) => record(recorder, 16));
  await add("two pipelines in turn", (recorder) => record(recorder, 1, [first, second]));
  for (const [groups, workgroup] of count < COUNT ? GRIDS.slice(0, 1) : GRIDS) {
    for (const shared of count < COUNT ? SHARED.slice(0, 1) : SHARED) {
      const kernel = await compile(workgroup, shared);
      const name = `${groups} workgroups of ${workgroup}, ${16 * shared} bytes shared`;
      await add(name, (recorder) => record(recorder, 1, [kernel], groups));
    }
  }
  if (times) trials.push(...(await passTrials(context, count, (recorder) => record(recorder, 1))));
  for (const output of outputs) gpu.memory.destroy(output);
  return trials;
}

/** The same dispatches in a pass each: with two timestamps a pass, and the time between the passes. */
async function passTrials(
  { gpu, times }: TrialContext,
  count: number,
  record: (recorder: Recorder) => void,
): Promise<Trial[]> {
  const recorder = gpu.recorder("trial", count);
  record(recorder);
  const program = recorder.program();
  const passes = await times!.run("dispatch", async () => {
    const encoder = gpu.device.createCommandEncoder();
    program.encode(encoder, "trial");
    gpu.device.queue.submit([encoder.finish()]);
    await gpu.device.queue.onSubmittedWorkDone();
  });
  program.destroy();
  const inside = passes.reduce((sum, { us }) => sum + us, 0) / passes.length;
  const whole = (passes.at(-1)!.end - passes[0]!.end) / (passes.length - 1);
  return [
    { work: "dispatch", variant: "a pass each, inside its timestamps", us: inside },
    { work: "dispatch", variant: "a pass each, from end to end", us: whole },
  ];
}
