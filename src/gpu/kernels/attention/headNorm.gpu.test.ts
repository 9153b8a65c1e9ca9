import { expect, it } from "vitest";
import { createTestScratch, maxError, randomFloats } from "../../../../test/kernels";
import { rmsNorm } from "../../selfTest/reference";
import { createHeadNorm } from "./headNorm";

const { gpu, scratch } = await createTestScratch();

it.each(["one", "workgroup", "subgroup"] as const)(
  "%s reduction: norm of heads",
  async (reduction) => {
    const shape = { heads: 5, kvHeads: 2, headDim: 36 };
    const { heads, kvHeads, headDim } = shape;
    const rows = 7;
    const weights = randomFloats(2 * headDim, 1);
    const input = randomFloats(rows * (heads + 2 * kvHeads) * headDim, 2);
    const expected = input.slice();
    for (let at = 0; at < input.length; at += headDim) {
      const head = (at / headDim) % (heads + 2 * kvHeads);
      if (head >= heads + kvHeads) continue;
      const weight = weights.subarray(head < heads ? 0 : headDim).subarray(0, headDim);
      expected.set(rmsNorm(input.subarray(at, at + headDim), weight, 1e-5), at);
    }
    const qkv = scratch.upload(input);
    const norm = await createHeadNorm(gpu, reduction);
    const recorder = gpu.recorder("test");
    norm(recorder, { shape, weights: scratch.upload(weights), qkv, rows, epsilon: 1e-5 });
    recorder.submit();
    expect(maxError(await scratch.readFloats(qkv), expected)).toBeLessThan(1e-5);
    recorder.destroy();
  },
);
