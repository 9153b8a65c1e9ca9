import { expect, it } from "vitest";
import { createTestScratch, maxError, randomFloats } from "../../../../test/kernels";
import { rmsNorm } from "../../selfTest/reference";
import { createRmsNorm } from "./rmsNorm";

const { gpu, scratch } = await createTestScratch();

it.each([
  ["one", 19, 60],
  // More workgroups than one dimension of a dispatch holds.
  ["one", 16 * 65535 + 50, 4],
  ["workgroup", 5, 60],
  ["workgroup", 3, 516],
  ["subgroup", 5, 60],
  ["subgroup", 3, 516],
] as const)("%s reduction: norm of %i rows of %i", async (reduction, rows, width) => {
  const input = randomFloats(rows * width, 1);
  const weight = randomFloats(width, 2);
  const output = scratch.empty(rows * width);
  const norm = await createRmsNorm(gpu, reduction);
  const recorder = gpu.recorder("test");
  const buffers = { input: scratch.upload(input), weight: scratch.upload(weight), output };
  norm(recorder, { ...buffers, rows, width, epsilon: 1e-5 });
  recorder.submit();
  const actual = await scratch.readFloats(output);
  expect(maxError(actual, rmsNorm(input, weight, 1e-5))).toBeLessThan(1e-5);
  recorder.destroy();
});
