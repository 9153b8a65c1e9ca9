import type { Gpu, Groups, KernelSpec, Params, Recorder, Slice } from "../gpu";

/** What one call of a kernel binds and how far it reaches. */
export interface Call {
  readonly buffers: readonly Slice[];
  readonly params: Params;
  readonly groups: Groups;
}

/** Records one dispatch of a kernel. */
export type KernelCall<Args> = (recorder: Recorder, args: Args) => void;

/** Compiles a kernel whose dispatch follows from typed arguments. */
export async function compileCall<Args>(
  gpu: Gpu,
  spec: KernelSpec,
  call: (args: Args) => Call,
): Promise<KernelCall<Args>> {
  const kernel = await gpu.compile(spec);
  return (recorder, args) => {
    const { buffers, params, groups } = call(args);
    if (groups.every((count) => count !== 0)) recorder.dispatch(kernel, buffers, params, groups);
  };
}
