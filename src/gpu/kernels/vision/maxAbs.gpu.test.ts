import { expect, it } from "vitest";
import { createTestScratch, randomFloats } from "../../../../test/kernels";
import { createMaxAbs } from "./maxAbs";

const { gpu, scratch } = await createTestScratch();

const LENGTH = 4 * 2500;

it.each([
  ["the largest", [777, 3.5], 3.5],
  ["a negative one", [LENGTH - 1, -7], 7],
  ["one that f16 does not hold", [4096, 1e6], 1e6],
  ["an infinity", [0, Number.NEGATIVE_INFINITY], Number.POSITIVE_INFINITY],
] as const)("finds %s", async (_, [at, value], expected) => {
  const run = await createMaxAbs(gpu);
  const input = randomFloats(LENGTH, 1);
  input[at] = value;
  // What lies behind the length does not count.
  const buffers = {
    input: scratch.upload(Float32Array.of(...input, 9e9, 0, 0, 0)),
    most: scratch.empty(1),
  };
  const recorder = gpu.recorder("test");
  run(recorder, { ...buffers, length: LENGTH });
  recorder.submit();
  expect((await scratch.readFloats(buffers.most))[0]).toBe(expected);
  recorder.destroy();
});
