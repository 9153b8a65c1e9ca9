import type { Gpu } from "../gpu";
import { type AttendSpec, createAttend } from "../kernels/attention/attend";
import { ATTEND_DIVISIONS, type AttendVariant } from "../kernels/attention/attendDivision";
import { type DType, rowBytes } from "../kernels/common/dtype";
import type { Reduction } from "../kernels/common/reduction";
import { createDecodeKernels } from "../kernels/decode/decode";
import { KV_BLOCK, kvRowBytes } from "../kernels/kv/kvType";
import { createMatmul, type MatmulVariant } from "../kernels/matmul/matmul";
import type { Recorder } from "../recorder";
import type { CheckSpec } from "./checkRun";
import { TestBuffers } from "./testBuffers";

/** Times of single kernels for `tuning.ts`, in milliseconds a dispatch. */

/** A measurement takes at least this many milliseconds, or `MOST_DISPATCHES`. */
const LEAST_MS = 2;
const MOST_DISPATCHES = 256;
/** Measurements of a variant; the fastest counts. */
const ROUNDS = 3;
/** Most bytes of the keys, and of the values, that attention is timed with. */
const MOST_CACHE_BYTES = 2 ** 24;

/** What is timed: products of a prefill chunk and of a decoding step with a square matrix, and a step's attention. */
export interface TuningSize {
  /** Of the chunk. */
  readonly rows: number;
  /** Rows and columns of the matrix. */
  readonly width: number;
  /** Rows of the caches: a short and a long one. */
  readonly cacheRows: readonly number[];
}

type RecordDispatch = (recorder: Recorder) => void;

/** Of a product of a prefill chunk. */
export function matmulMs(
  gpu: Gpu,
  variant: MatmulVariant,
  dtype: DType,
  size: TuningSize,
): Promise<number> {
  return timed(gpu, async (scratch) => {
    const { input, matrix, bias, output } = matrixBuffers(scratch, dtype, size);
    const { rows, width } = size;
    const sizes = [{ rows, columns: width }];
    const run = await createMatmul(gpu, { variant, dtype, store: "bias", sizes });
    return (recorder) => run(recorder, { input, matrix, bias, output, rows });
  });
}

/** Of a product of a decoding step. */
export function reductionMs(
  gpu: Gpu,
  reduction: Reduction,
  { kvType, dtype }: Pick<CheckSpec, "kvType"> & { readonly dtype: DType },
  size: TuningSize,
): Promise<number> {
  return timed(gpu, async (scratch) => {
    const { input, matrix, bias, output } = matrixBuffers(scratch, dtype, size);
    const sizes = { output: { rows: size.width, columns: size.width } };
    const { project } = await createDecodeKernels(gpu, { reduction, dtype, kvType, sizes });
    return (recorder) => project(recorder, { input, matrix, bias, output });
  });
}

/**
 * Of a step's attention: the geometric mean over the caches, so that a short one counts as much as a long one.
 */
export async function attendMs(
  gpu: Gpu,
  { variant, ...spec }: Omit<AttendSpec, "division"> & { readonly variant: AttendVariant },
  { cacheRows }: TuningSize,
): Promise<number> {
  const divided = { ...spec, division: ATTEND_DIVISIONS[variant] };
  let product = 1;
  for (const rows of cacheRows) product *= await cacheMs(gpu, divided, rows);
  return product ** (1 / cacheRows.length);
}

/** @param wanted rows, of which there are fewer where they exceed `MOST_CACHE_BYTES` */
function cacheMs(gpu: Gpu, spec: AttendSpec, wanted: number): Promise<number> {
  const { shape, kvType } = spec;
  const { heads, kvHeads, headDim } = shape;
  return timed(gpu, async (scratch) => {
    const attend = await createAttend(gpu, spec);
    const bytes = kvHeads * kvRowBytes(kvType, headDim);
    const blocks = Math.min(wanted, MOST_CACHE_BYTES / bytes) / KV_BLOCK;
    const capacity = Math.max(1, Math.floor(blocks)) * KV_BLOCK;
    const [keys, values] = [0, 0].map(() => scratch.empty((capacity * bytes) / 4)) as [
      GPUBuffer,
      GPUBuffer,
    ];
    const regions = Array.from({ length: kvHeads }, (_, head) => [
      head * capacity,
      capacity - 1,
      capacity,
      0,
    ]);
    const table = scratch.upload(Uint32Array.from(regions.flat()));
    const splits = attend.splits(capacity);
    const args = {
      cache: { keys, values, table, layer: 0 },
      capacity,
      queries: scratch.empty(heads * headDim),
      partials: scratch.empty(splits * heads * headDim),
      stats: scratch.empty(splits * heads * 2),
      output: scratch.empty(heads * headDim),
      lse: scratch.empty(heads),
    };
    return (recorder) => attend(recorder, args);
  });
}

/** Buffers for products with a square matrix of zeros. */
function matrixBuffers(scratch: TestBuffers, dtype: DType, { rows, width }: TuningSize) {
  const weights = scratch.empty((width * rowBytes(dtype, width)) / 4);
  const parts = [{ buffer: weights, firstRow: 0, rows: width }];
  const matrix = { label: "tuning", dtype, rows: width, columns: width, parts };
  const [input, output] = [scratch.empty(rows * width), scratch.empty(rows * width)];
  return { matrix, input, output, bias: scratch.empty(width) };
}

/** Milliseconds of what a recording adds, fastest of a few rounds. */
async function timed(
  gpu: Gpu,
  prepare: (scratch: TestBuffers) => Promise<RecordDispatch>,
): Promise<number> {
  const scratch = new TestBuffers(gpu);
  const recorder = gpu.recorder("tuning", MOST_DISPATCHES);
  try {
    const record = await prepare(scratch);
    await timeOnce(gpu, recorder, record, 1); // the first run compiles
    let count = 8;
    let ms = await timeOnce(gpu, recorder, record, count);
    while (ms < LEAST_MS && count < MOST_DISPATCHES) {
      count = Math.min(MOST_DISPATCHES, count * 4);
      ms = await timeOnce(gpu, recorder, record, count);
    }
    for (let round = 1; round < ROUNDS; round++) {
      ms = Math.min(ms, await timeOnce(gpu, recorder, record, count));
    }
    return ms / count;
  } finally {
    recorder.destroy();
    scratch.destroy();
  }
}

async function timeOnce(
  gpu: Gpu,
  recorder: Recorder,
  record: RecordDispatch,
  count: number,
): Promise<number> {
  for (let i = 0; i < count; i++) record(recorder);
  const started = performance.now();
  recorder.submit();
  await gpu.device.queue.onSubmittedWorkDone();
  return performance.now() - started;
}
