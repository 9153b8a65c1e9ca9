import { afterAll, afterEach, describe, expect, it } from "vitest";
import { randomCache } from "../../../../test/cache";
import { createTestGpu } from "../../../../test/dawn";
import { maxError, randomFloats } from "../../../../test/kernels";
import { attention } from "../../selfTest/reference";
import { TestBuffers } from "../../selfTest/testBuffers";
import { createFlash } from "./flash";

const TOLERANCE = 1e-5;

const gpu = await createTestGpu();
const scratch = new TestBuffers(gpu);
afterEach(() => scratch.destroy());
afterAll(() => gpu.device.destroy());

const CASES = [
  { heads: 5, kvHeads: 1, headDim: 80, kvType: "f16", rowsBefore: [140], rows: 18 },
  { heads: 2, kvHeads: 2, headDim: 20, kvType: "f16", rowsBefore: [0, 64], rows: 5 },
  { heads: 6, kvHeads: 2, headDim: 64, kvType: "f32", rowsBefore: [30, 5], rows: 21 },
  { heads: 4, kvHeads: 4, headDim: 16, kvType: "f32", rowsBefore: [0, 0, 1, 9], rows: 35 },
  { heads: 2, kvHeads: 1, headDim: 128, kvType: "f32", rowsBefore: [0], rows: 1 },
] as const;
/** Heights differ in one constant; their kernels compile slowly here. */
const FEW = CASES.slice(0, 2);

describe.each([
  ["plain", undefined, CASES],
  ["subgroup", undefined, CASES],
  ["tiled", 8, FEW],
  ["tiled", 4, CASES],
  ["tiled", 2, FEW],
] as const)("flash %s, height %s", (variant, height, cases) => {
  it.each(cases)("$heads over $kvHeads of $headDim, $kvType, $rows rows", async (test) => {
    const { kvType, rows, rowsBefore } = test;
    const shape = { heads: test.heads, kvHeads: test.kvHeads, headDim: test.headDim };
    const { heads, headDim } = shape;
    const cache = randomCache(scratch, shape, kvType, rowsBefore, 1);
    const queries = randomFloats(rows * heads * headDim, 3).map((value) => 3 * value);
    const output = scratch.empty((rows + 3) * heads * headDim);
    const lse = scratch.empty(rows * heads);
    const flash = await createFlash(gpu, { variant, kvType, shape, ...(height && { height }) });
    const recorder = gpu.recorder("test");
    const buffers = { queries: scratch.upload(queries), output, lse };
    flash(recorder, { cache: cache.binding, ...buffers, rows });
    recorder.submit();
    const expected = attention({ shape, queries, ...cache });
    expect(maxError(await scratch.readFloats(output), expected.output)).toBeLessThan(TOLERANCE);
    expect(maxError(await scratch.readFloats(lse), expected.lse)).toBeLessThan(TOLERANCE);
    recorder.destroy();
  });
});
