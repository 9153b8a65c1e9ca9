/**
 * The checks of `selfTest.ts`: each kernel runs a small problem of odd size on the GPU and on the
 * CPU. Every check resolves with its largest absolute error.
 */

import type { Gpu } from "../gpu";
import { createAttend } from "../kernels/attention/attend";
import { createFlash, FLASH_HEIGHTS, type FlashVariant } from "../kernels/attention/flash";
import type { HeadShape } from "../kernels/attention/ropeAppend";
import type { DType } from "../kernels/common/dtype";
import type { Reduction } from "../kernels/common/reduction";
import { createRmsNorm } from "../kernels/common/rmsNorm";
import { createDecodeKernels } from "../kernels/decode/decode";
import type { KvType } from "../kernels/kv/kvType";
import { createMatmul, MATMUL_TILES, type MatmulVariant } from "../kernels/matmul/matmul";
import { createSampler, SAMPLED_WORDS, sampleSlices } from "../kernels/sampling/sample";
import type { Recorder } from "../recorder";
import * as reference from "./reference";
import { TestBuffers } from "./testBuffers";

/** Element types and shape that the adapter will run. */
export interface CheckSpec {
  /** Of all matrices. */
  readonly dtypes: readonly DType[];
  readonly kvType: KvType;
  readonly shape: HeadShape;
}

const { maxError, randomFloats } = reference;
const EPSILON = 1e-5;
const ROWS = 9;
/** A multiple of 8: 16-bit weights are read 16 bytes at a time. */
const WIDTH = 40;
/** Number of rows stored before the rows of a check. */
const CACHED = 70;
/** A capacity that no attention kernel takes at once. */
const MANY_SLOTS = 2048;

type Floats = Float32Array<ArrayBuffer>;
type Check = (scratch: TestBuffers, recorder: Recorder) => Promise<() => Promise<number>>;

/** Runs a check with its own scratch buffers. */
async function run(gpu: Gpu, check: Check): Promise<number> {
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
async function worst(
  scratch: TestBuffers,
  results: readonly (readonly [GPUBuffer, Floats])[],
): Promise<number> {
  const errors = [];
  for (const [buffer, expected] of results) {
    errors.push(maxError(await scratch.readFloats(buffer), expected));
  }
  return Math.max(...errors);
}

function matrix(scratch: TestBuffers, dtype: DType, rows: number, stored: number, seed: number) {
  const { buffer, values } = scratch.store(randomFloats(stored * WIDTH, seed), dtype, WIDTH);
  const parts = [{ buffer, firstRow: 0, rows }];
  return { values, matrix: { label: "self-test", dtype, rows, columns: WIDTH, parts } };
}

export async function checkMatmul(
  gpu: Gpu,
  variant: MatmulVariant,
  { dtypes }: CheckSpec,
): Promise<number> {
  return largest(dtypes.map((dtype) => checkProducts(gpu, variant, dtype)));
}

function checkProducts(gpu: Gpu, variant: MatmulVariant, dtype: DType): Promise<number> {
  return run(gpu, async (scratch, recorder) => {
    const columns = 22;
    const tiles = variant.startsWith("tiled") ? MATMUL_TILES.map((tile) => ({ tile })) : [{}];
    const spec = { variant, dtype, ...tiles.at(-1) };
    const [residual, ...gates] = await Promise.all([
      createMatmul(gpu, { ...spec, store: "residual" }),
      ...tiles.map((tile) => createMatmul(gpu, { ...spec, ...tile, store: "gated" })),
    ]);
    const input = randomFloats(ROWS * WIDTH, 1);
    const bias = randomFloats(2 * columns, 2);
    const single = matrix(scratch, dtype, columns, columns, 3);
    const double = matrix(scratch, dtype, columns, 2 * columns, 4);
    const args = { input: scratch.upload(input), bias: scratch.upload(bias), rows: ROWS };
    const outputs = [residual, ...gates].map((run, at) => {
      const output = scratch.empty(ROWS * columns);
      run(recorder, { ...args, matrix: (at === 0 ? single : double).matrix, output });
      return output;
    });
    const expected = [
      reference.matmul(input, single.values, bias.slice(0, columns)),
      reference.gated(reference.matmul(input, double.values, bias), columns),
    ] as const;
    return () =>
      worst(
        scratch,
        outputs.map((output, at) => [output, expected[at === 0 ? 0 : 1]]),
      );
  });
}

/** A cache of one layer with `CACHED` random rows in every head. */
function cache(scratch: TestBuffers, { kvType, shape }: CheckSpec) {
  const capacity = 128;
  const headFloats = capacity * shape.headDim;
  const keys = scratch.storeRows(
    randomFloats(shape.kvHeads * headFloats, 5),
    shape.headDim,
    kvType,
  );
  const values = scratch.storeRows(
    randomFloats(shape.kvHeads * headFloats, 6),
    shape.headDim,
    kvType,
  );
  const regions = Array.from({ length: shape.kvHeads }, (_, head) => [
    head * capacity,
    CACHED,
    capacity,
    0,
  ]);
  const table = scratch.upload(Uint32Array.from(regions.flat()));
  const head = (all: Floats) => (g: number) => all.subarray(g * headFloats, (g + 1) * headFloats);
  return {
    binding: { keys: keys.buffer, values: values.buffer, table, layer: 0 },
    capacity,
    keys: head(keys.values),
    values: head(values.values),
    before: () => CACHED,
  };
}

export function checkFlash(gpu: Gpu, variant: FlashVariant, spec: CheckSpec): Promise<number> {
  return run(gpu, async (scratch, recorder) => {
    const { shape, kvType } = spec;
    const heights = variant === "tiled" ? FLASH_HEIGHTS : [undefined];
    const layer = cache(scratch, spec);
    const queries = randomFloats(ROWS * shape.heads * shape.headDim, 7);
    const uploaded = scratch.upload(queries);
    const expected = reference.attention({ shape, queries, ...layer });
    const results = heights.map(async (height) => {
      const flash = await createFlash(gpu, { variant, kvType, shape, ...(height && { height }) });
      const output = scratch.empty((ROWS + 3) * shape.heads * shape.headDim);
      const lse = scratch.empty(ROWS * shape.heads);
      flash(recorder, { cache: layer.binding, queries: uploaded, output, lse, rows: ROWS });
      return [
        [output, expected.output],
        [lse, expected.lse],
      ] as const;
    });
    const all = (await Promise.all(results)).flat();
    return () => worst(scratch, all);
  });
}

/** All kernels that contain a reduction. */
export async function checkReductions(
  gpu: Gpu,
  reduction: Reduction,
  spec: CheckSpec,
): Promise<number> {
  const checks = [norms, attention, samples, ...spec.dtypes.map(rows)];
  return largest(
    checks.map((check) =>
      run(gpu, (scratch, recorder) => check(gpu, reduction, spec, scratch, recorder)),
    ),
  );
}

async function largest(errors: readonly Promise<number>[]): Promise<number> {
  return Math.max(...(await Promise.all(errors)));
}

type ReductionCheck = (
  gpu: Gpu,
  reduction: Reduction,
  spec: CheckSpec,
  scratch: TestBuffers,
  recorder: Recorder,
) => ReturnType<Check>;

const norms: ReductionCheck = async (gpu, reduction, _spec, scratch, recorder) => {
  const norm = await createRmsNorm(gpu, reduction);
  const [input, weight] = [randomFloats(ROWS * WIDTH, 8), randomFloats(WIDTH, 9)];
  const output = scratch.empty(ROWS * WIDTH);
  const buffers = { input: scratch.upload(input), weight: scratch.upload(weight), output };
  norm(recorder, { ...buffers, rows: ROWS, width: WIDTH, epsilon: EPSILON });
  const expected = reference.rmsNorm(input, weight, EPSILON);
  return async () => maxError(await scratch.readFloats(output), expected);
};

const attention: ReductionCheck = async (gpu, reduction, spec, scratch, recorder) => {
  const { shape, kvType } = spec;
  const attend = await createAttend(gpu, { reduction, kvType, shape });
  const layer = cache(scratch, spec);
  const queries = randomFloats(shape.heads * shape.headDim, 10);
  const uploaded = scratch.upload(queries);
  // A capacity of one split, and one of several: they are computed by other kernels.
  const results = [layer.capacity, MANY_SLOTS].map((capacity) => {
    const splits = attend.splits(capacity);
    const output = scratch.empty(shape.heads * shape.headDim);
    const lse = scratch.empty(shape.heads);
    attend(recorder, {
      cache: layer.binding,
      capacity,
      queries: uploaded,
      partials: scratch.empty(splits * shape.heads * shape.headDim),
      stats: scratch.empty(splits * shape.heads * 2),
      output,
      lse,
    });
    return { output, lse };
  });
  const expected = reference.attention({ shape, queries, ...layer });
  return () =>
    worst(
      scratch,
      results.flatMap(({ output, lse }) => [
        [output, expected.output],
        [lse, expected.lse],
      ]),
    );
};

const rows =
  (dtype: DType): ReductionCheck =>
  async (gpu, reduction, { kvType }, scratch, recorder) => {
    const count = 22;
    const size = { rows: count, columns: WIDTH };
    const sizes = { output: size, gateUp: { rows: 2 * count, columns: WIDTH }, head: size };
    const kernels = await createDecodeKernels(gpu, { reduction, dtype, kvType, sizes });
    const [input, normWeight] = [randomFloats(WIDTH, 11), randomFloats(WIDTH, 12)];
    const bias = randomFloats(2 * count, 13);
    const single = matrix(scratch, dtype, count, count, 14);
    const double = matrix(scratch, dtype, count, 2 * count, 15);
    const output = scratch.empty(count);
    const gated = scratch.empty(count);
    const logits = scratch.empty(count);
    const common = { input: scratch.upload(input), bias: scratch.upload(bias), epsilon: EPSILON };
    const normed = { ...common, normWeight: scratch.upload(normWeight) };
    kernels.project(recorder, { ...common, matrix: single.matrix, output });
    kernels.gated(recorder, { ...normed, matrix: double.matrix, output: gated });
    kernels.head(recorder, { ...normed, inputRow: 0, matrix: single.matrix, logits });
    const unit = reference.rmsNorm(input, normWeight, EPSILON);
    const results = [
      [output, reference.matmul(input, single.values, bias.slice(0, count))],
      [gated, reference.gated(reference.matmul(unit, double.values, bias), count)],
      [logits, reference.matmul(unit, single.values, new Float32Array(count))],
    ] as const;
    return () => worst(scratch, results);
  };

const samples: ReductionCheck = async (gpu, reduction, _spec, scratch, recorder) => {
  const vocabulary = 101;
  const sample = await createSampler(gpu, reduction);
  const values = randomFloats(vocabulary, 16).map((value) => 4 * value);
  const logits = scratch.upload(values);
  const sampled = [scratch.empty(SAMPLED_WORDS), scratch.empty(SAMPLED_WORDS)] as const;
  const greedy = { temperature: 0, topK: 0, topP: 1, seed: 0 };
  const random = { temperature: 0.8, topK: 30, topP: 0.9, seed: 17 };
  const slices = scratch.empty(4 * sampleSlices(vocabulary));
  const shared = { logits, slices, vocabulary };
  sample(recorder, { ...shared, sampled: sampled[0], settings: greedy });
  sample(recorder, { ...shared, sampled: sampled[1], settings: random });
  return async () => {
    const errors = [];
    for (const [i, settings] of [greedy, random].entries()) {
      const buffer = sampled[i] as GPUBuffer;
      const expected = reference.sample(values, settings, 0);
      if ((await scratch.readWords(buffer))[0] !== expected) return Infinity;
      const logProbability = (await scratch.readFloats(buffer))[2] as number;
      errors.push(Math.abs(logProbability - reference.logProbability(values, expected)));
    }
    return Math.max(...errors);
  };
};
