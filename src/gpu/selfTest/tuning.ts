import type { Gpu } from "../gpu";
import { type DType, rowBytes } from "../kernels/common/dtype";
import type { Reduction } from "../kernels/common/reduction";
import { createDecodeKernels } from "../kernels/decode/decode";
import { createMatmul, type MatmulVariant } from "../kernels/matmul/matmul";
import type { Recorder } from "../recorder";
import type { CheckSpec } from "./checkRun";
import { type SelfTestResult, selfTest } from "./selfTest";
import { TestBuffers } from "./testBuffers";

/** Milliseconds after which no other candidate is timed. */
const BUDGET_MS = 700;
/** How much faster than the chosen variant another one must be, because measured times vary. */
const GAIN = 1.2;
/** A measurement takes at least this many milliseconds, or `MOST_DISPATCHES`. */
const LEAST_MS = 2;
const MOST_DISPATCHES = 256;
/** Measurements of a variant; the fastest counts. */
const ROUNDS = 3;

/** The products that are timed, with one square matrix: of a prefill chunk, and of a decoding step. */
interface TuningSize {
  /** Of the chunk. */
  readonly rows: number;
  /** Rows and columns of the matrix. */
  readonly width: number;
}
const SIZE: TuningSize = { rows: 256, width: 1024 };

type RecordDispatch = (recorder: Recorder) => void;

/**
 * Times the variants that this adapter could run and takes those that are clearly faster than the chosen ones: products
 * of a prefill (`matmul`) and of a decoding step (`reduction`). What it takes passes the self-test, or nothing changes.
 * @param tested what the self-test has accepted
 */
export async function tune(
  gpu: Gpu,
  tested: SelfTestResult,
  spec: CheckSpec,
  size: TuningSize = SIZE,
): Promise<SelfTestResult> {
  const { variants } = tested;
  const { subgroups, f16 } = gpu.features;
  const started = performance.now();
  const hasTime = () => performance.now() - started < BUDGET_MS;
  const dtype = spec.dtypes[0] ?? "f16";
  const matmuls: MatmulVariant[] = [
    "tiled",
    "registers",
    ...(f16 ? ["tiledF16" as const] : []),
    ...(subgroups ? ["subgroup" as const] : []),
  ];
  const reductions: Reduction[] = ["workgroup", ...(subgroups ? ["subgroup" as const] : [])];
  const matmul = await fastest(variants.matmul, matmuls, hasTime, (variant) =>
    timeMatmul(gpu, variant, dtype, size),
  );
  const reduction = await fastest(variants.reduction, reductions, hasTime, (candidate) =>
    timeReduction(gpu, candidate, { ...spec, dtype, size }),
  );
  if (matmul === variants.matmul && reduction === variants.reduction) return tested;
  const again = await selfTest(gpu, { ...variants, matmul, reduction }, spec).catch(() => tested);
  return again.notices.length > 0 ? tested : { ...again, notices: tested.notices };
}

/**
 * The candidate with the least time, if it is faster than `chosen` by `GAIN`. One that fails is passed over; if `chosen`
 * fails or there is no time, nothing changes.
 */
export async function fastest<V>(
  chosen: V,
  candidates: readonly V[],
  hasTime: () => boolean,
  time: (candidate: V) => Promise<number>,
): Promise<V> {
  const timed = (candidate: V) => time(candidate).catch(() => Number.POSITIVE_INFINITY);
  let best = chosen;
  let bound = hasTime() ? (await timed(chosen)) / GAIN : 0;
  if (bound === Number.POSITIVE_INFINITY) return chosen;
  for (const candidate of candidates) {
    if (candidate === chosen || !hasTime()) continue;
    const ms = await timed(candidate);
    if (ms < bound) [best, bound] = [candidate, ms];
  }
  return best;
}

function timeMatmul(
  gpu: Gpu,
  variant: MatmulVariant,
  dtype: DType,
  size: TuningSize,
): Promise<number> {
  return withBuffers(gpu, dtype, size, async ({ input, matrix, bias, output }) => {
    const { rows, width } = size;
    const sizes = [{ rows, columns: width }];
    const run = await createMatmul(gpu, { variant, dtype, store: "bias", sizes });
    return (recorder) => run(recorder, { input, matrix, bias, output, rows });
  });
}

function timeReduction(
  gpu: Gpu,
  reduction: Reduction,
  { kvType, dtype, size }: CheckSpec & { readonly dtype: DType; readonly size: TuningSize },
): Promise<number> {
  return withBuffers(gpu, dtype, size, async ({ input, matrix, bias, output }) => {
    const sizes = { output: { rows: size.width, columns: size.width } };
    const { project } = await createDecodeKernels(gpu, { reduction, dtype, kvType, sizes });
    return (recorder) => project(recorder, { input, matrix, bias, output });
  });
}

/** Milliseconds of a dispatch on a square matrix of zeros. */
async function withBuffers(
  gpu: Gpu,
  dtype: DType,
  size: TuningSize,
  prepare: (buffers: ReturnType<typeof buffersOf>) => Promise<RecordDispatch>,
): Promise<number> {
  const scratch = new TestBuffers(gpu);
  const recorder = gpu.recorder("tuning", MOST_DISPATCHES);
  try {
    const record = await prepare(buffersOf(scratch, dtype, size));
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

function buffersOf(scratch: TestBuffers, dtype: DType, { rows, width }: TuningSize) {
  const weights = scratch.empty((width * rowBytes(dtype, width)) / 4);
  const parts = [{ buffer: weights, firstRow: 0, rows: width }];
  const matrix = { label: "tuning", dtype, rows: width, columns: width, parts };
  const [input, output] = [scratch.empty(rows * width), scratch.empty(rows * width)];
  return { matrix, input, output, bias: scratch.empty(width) };
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
