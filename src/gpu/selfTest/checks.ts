/**
 * The checks of `selfTest.ts`: each kernel runs a small problem of odd size on the GPU and on the
 * CPU. Every check resolves with its largest absolute error.
 */

import type { Gpu } from "../gpu";
import type { DType } from "../kernels/common/dtype";
import { createRmsNorm } from "../kernels/common/rmsNorm";
import { createDecodeKernels } from "../kernels/decode/decode";
import { createMatmul, MATMUL_BLOCKS, type MatmulVariant } from "../kernels/matmul/matmul";
import { createSampler, GREEDY, SAMPLED_WORDS, sampleSlices } from "../kernels/sampling/sample";
import type { Variants } from "../variants";
import { checkAppend, checkAttend } from "./attentionChecks";
import { roundedRows } from "./cacheChecks";
import {
  CHECK_ROWS,
  type CheckSpec,
  largestError,
  type ReductionCheck,
  runCheck,
  worstError,
} from "./checkRun";
import * as reference from "./reference";
import type { TestBuffers } from "./testBuffers";

const { maxError, randomFloats } = reference;
const EPSILON = 1e-5;
/** A multiple of 8: 16-bit weights are read 16 bytes at a time. */
const WIDTH = 40;

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
  return largestError(dtypes.map((dtype) => checkProducts(gpu, variant, dtype)));
}

function checkProducts(gpu: Gpu, variant: MatmulVariant, dtype: DType): Promise<number> {
  return runCheck(gpu, async (scratch, recorder) => {
    const columns = 22;
    const blocks = variant.startsWith("tiled") ? MATMUL_BLOCKS.map((block) => ({ block })) : [{}];
    const spec = { variant, dtype, ...blocks.at(-1) };
    const [residual, ...gates] = await Promise.all([
      createMatmul(gpu, { ...spec, store: "residual" }),
      ...blocks.map((block) => createMatmul(gpu, { ...spec, ...block, store: "gated" })),
    ]);
    const input = randomFloats(CHECK_ROWS * WIDTH, 1);
    const bias = randomFloats(2 * columns, 2);
    const single = matrix(scratch, dtype, columns, columns, 3);
    const double = matrix(scratch, dtype, columns, 2 * columns, 4);
    const args = { input: scratch.upload(input), bias: scratch.upload(bias), rows: CHECK_ROWS };
    const outputs = [residual, ...gates].map((run, at) => {
      const output = scratch.empty(CHECK_ROWS * columns);
      run(recorder, { ...args, matrix: (at === 0 ? single : double).matrix, output });
      return output;
    });
    const expected = [
      reference.matmul(input, single.values, bias.slice(0, columns)),
      reference.gated(reference.matmul(input, double.values, bias), columns),
    ] as const;
    return () =>
      worstError(
        scratch,
        outputs.map((output, at) => [output, expected[at === 0 ? 0 : 1]]),
      );
  });
}

/** All kernels that contain a reduction. */
export async function checkReductions(
  gpu: Gpu,
  { reduction, attend }: Pick<Variants, "reduction" | "attend">,
  spec: CheckSpec,
): Promise<number> {
  const attention = [checkAttend(attend), checkAppend(attend)];
  const checks = [norms, ...attention, roundedRows, samples, ...spec.dtypes.map(rows)];
  return largestError(
    checks.map((check) =>
      runCheck(gpu, (scratch, recorder) => check({ gpu, reduction, spec, scratch, recorder })),
    ),
  );
}

const norms: ReductionCheck = async ({ gpu, reduction, scratch, recorder }) => {
  const norm = await createRmsNorm(gpu, reduction);
  const [input, weight] = [randomFloats(CHECK_ROWS * WIDTH, 8), randomFloats(WIDTH, 9)];
  const output = scratch.empty(CHECK_ROWS * WIDTH);
  const buffers = { input: scratch.upload(input), weight: scratch.upload(weight), output };
  norm(recorder, { ...buffers, rows: CHECK_ROWS, width: WIDTH, epsilon: EPSILON });
  const expected = reference.rmsNorm(input, weight, EPSILON);
  return async () => maxError(await scratch.readFloats(output), expected);
};

const rows =
  (dtype: DType): ReductionCheck =>
  async ({ gpu, reduction, spec: { kvType }, scratch, recorder }) => {
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
    return () => worstError(scratch, results);
  };

const samples: ReductionCheck = async ({ gpu, reduction, scratch, recorder }) => {
  const vocabulary = 101;
  const sample = await createSampler(gpu, reduction);
  const values = randomFloats(vocabulary, 16).map((value) => 4 * value);
  const logits = scratch.upload(values);
  const sampled = [scratch.empty(SAMPLED_WORDS), scratch.empty(SAMPLED_WORDS)] as const;
  const random = { temperature: 0.8, topK: 30, topP: 0.9, seed: 17 };
  const slices = scratch.empty(4 * sampleSlices(vocabulary));
  const shared = { logits, slices, vocabulary };
  sample(recorder, { ...shared, sampled: sampled[0], settings: GREEDY });
  sample(recorder, { ...shared, sampled: sampled[1], settings: random });
  return async () => {
    const errors = [];
    for (const [i, settings] of [GREEDY, random].entries()) {
      const buffer = sampled[i] as GPUBuffer;
      const expected = reference.sample(values, settings, 0);
      if ((await scratch.readWords(buffer))[0] !== expected) return Infinity;
      const logProbability = (await scratch.readFloats(buffer))[2] as number;
      errors.push(Math.abs(logProbability - reference.logProbability(values, expected)));
    }
    return Math.max(...errors);
  };
};
