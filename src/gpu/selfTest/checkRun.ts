import type { Gpu } from "../gpu";
import type { DType } from "../kernels/common/dtype";
import type { Reduction } from "../kernels/common/reduction";
import type { HeadShape } from "../kernels/kv/cacheBinding";
import type { KvType } from "../kernels/kv/kvType";
import type { Recorder } from "../recorder";
import { maxError } from "./reference";
import { TestBuffers } from "./testBuffers";

/** Element types and shape that the adapter will run. */
export interface CheckSpec {
  /** Of all matrices. */
  readonly dtypes: readonly DType[];
  readonly kvType: KvType;
  readonly shape: HeadShape & {
    /** Queries and keys have a norm over their heads. */
    readonly hasHeadNorm?: boolean;
  };
}

/** Rows of a check's problem. */
export const CHECK_ROWS = 9;

type Floats = Float32Array<ArrayBuffer>;
/** Records its kernels; once they have run, what it returns compares them. */
type KernelCheck = (scratch: TestBuffers, recorder: Recorder) => Promise<() => Promise<number>>;

interface ReductionContext {
  readonly gpu: Gpu;
  readonly reduction: Reduction;
  readonly spec: CheckSpec;
  readonly scratch: TestBuffers;
  readonly recorder: Recorder;
}

/** Of one kernel that contains a reduction. */
export type ReductionCheck = (context: ReductionContext) => ReturnType<KernelCheck>;

/** Runs a check with its own scratch buffers. */
export async function runCheck(gpu: Gpu, check: KernelCheck): Promise<number> {
  const scratch = new TestBuffers(gpu);
  const recorder = gpu.recorder("self-test", 16);
  try {
    const compare = await check(scratch, recorder);
    recorder.submit();
    return await compare();
  } finally {
    recorder.destroy();
    scratch.destroy();
  }
}

/** Largest error of several buffers. */
export async function worstError(
  scratch: TestBuffers,
  results: readonly (readonly [GPUBuffer, Floats])[],
): Promise<number> {
  const errors = [];
  for (const [buffer, expected] of results) {
    errors.push(maxError(await scratch.readFloats(buffer), expected));
  }
  return Math.max(...errors);
}

/** The largest of several errors. */
export async function largestError(errors: readonly Promise<number>[]): Promise<number> {
  return Math.max(...(await Promise.all(errors)));
}
