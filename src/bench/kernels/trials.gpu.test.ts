import { afterAll, afterEach, expect, it } from "vitest";
import { attention, maxError, randomFloats, rmsNorm } from "@/gpu/selfTest/reference";
import { TestBuffers } from "@/gpu/selfTest/testBuffers";
import { createTestGpu } from "../../../test/dawn";
import { compileAttendTrial } from "./attentionTrials";
import { compileGemv, gemvGroups } from "./gemvTrials";
import { compileMatmulTrial } from "./matmulTrials";

const TOLERANCE = 1e-4;

const gpu = await createTestGpu();
const scratch = new TestBuffers(gpu);
afterEach(() => scratch.destroy());
afterAll(() => gpu.device.destroy());
const subgroup = gpu.device.adapterInfo.subgroupMaxSize;

function product(
  input: Float32Array,
  weights: Float32Array,
  rows: number,
): Float32Array<ArrayBuffer> {
  const depth = input.length;
  return Float32Array.from({ length: rows }, (_, row) =>
    input.reduce((sum, x, k) => sum + x * (weights[row * depth + k] as number), 0),
  );
}

it.each([
  { workgroup: 64, team: 32, rows: 2, ahead: 2, norm: true },
  { workgroup: 64, team: 64, rows: 4, ahead: 1, norm: false },
  { workgroup: 32, team: 4, rows: 3, ahead: 4, norm: true },
])("gemv of $workgroup, $team, $rows, $ahead", async ({ norm, ...shape }) => {
  const [rows, depth] = [45, 136];
  const input = randomFloats(depth, 1);
  const gain = randomFloats(depth, 2);
  const weights = scratch.store(randomFloats(rows * depth, 3), "f16");
  const output = scratch.empty(rows);
  const kernel = await compileGemv(gpu, shape, norm, subgroup);
  const recorder = gpu.recorder("test");
  recorder.dispatch(kernel, {
    buffers: [scratch.upload(input), scratch.upload(gain), weights.buffer, output],
    params: { rows, depth8: depth / 8, first: 0 },
    groups: gemvGroups(shape, rows),
  });
  recorder.submit();
  const expected = product(norm ? rmsNorm(input, gain, 1e-5) : input, weights.values, rows);
  expect(maxError(await scratch.readFloats(output), expected)).toBeLessThan(TOLERANCE);
  recorder.destroy();
});

it.each([true, false])("attention by lanes: %s", async (byLanes) => {
  const shape = { heads: 6, kvHeads: 2, headDim: 16 };
  const [rows, capacity, span] = [100, 128, 64];
  const { heads, kvHeads, headDim } = shape;
  const queries = randomFloats(heads * headDim, 1).map((x) => 3 * x);
  const keys = scratch.store(randomFloats(kvHeads * capacity * headDim, 2), "f16");
  const values = scratch.store(randomFloats(kvHeads * capacity * headDim, 3), "f16");
  const partials = scratch.empty(2 * heads * headDim);
  const stats = scratch.empty(2 * heads * 2);
  const trial = { workgroup: 32, span, byLanes };
  const kernel = await compileAttendTrial(gpu, trial, subgroup, { group: 3, headDim });
  const recorder = gpu.recorder("test");
  recorder.dispatch(kernel, {
    buffers: [scratch.upload(queries), keys.buffer, values.buffer, partials, stats],
    params: { heads, kvHeads, rows, capacity, scale: 1 / Math.sqrt(headDim), first: 0 },
    groups: [2 * kvHeads],
  });
  recorder.submit();
  const head = (all: Float32Array<ArrayBuffer>) => (g: number) =>
    all.subarray(g * capacity * headDim, (g + 1) * capacity * headDim);
  const expected = attention({
    shape,
    queries,
    keys: head(keys.values),
    values: head(values.values),
    before: () => rows - 1,
  });
  const sums = await scratch.readFloats(partials);
  const peaks = await scratch.readFloats(stats);
  const output = queries.map((_, at) => {
    const h = Math.floor(at / headDim);
    const [first, second] = [2 * h, 2 * (heads + h)];
    const peak = Math.max(peaks[first]!, peaks[second]!);
    const [a, b] = [first, second].map((i) => Math.exp(peaks[i]! - peak)) as [number, number];
    const mass = a * peaks[first + 1]! + b * peaks[second + 1]!;
    return (a * sums[at]! + b * sums[heads * headDim + at]!) / mass;
  });
  expect(maxError(output, expected.output)).toBeLessThan(TOLERANCE);
  recorder.destroy();
});

it.each([
  { high: 8, wide: 8, depth4: 2 },
  { high: 8, wide: 16, depth4: 4 },
])("product in tiles of 8 × ($high, $wide)", async (tile) => {
  const [rows, columns, depth] = [64, 128, 36];
  const input = randomFloats(rows * depth, 1);
  const weights = scratch.store(randomFloats(columns * depth, 2), "f16");
  const output = scratch.empty(rows * columns);
  const kernel = await compileMatmulTrial(gpu, tile);
  const recorder = gpu.recorder("test");
  recorder.dispatch(kernel, {
    buffers: [scratch.upload(input), weights.buffer, output],
    params: { rows, columns, depth4: depth / 4 },
    groups: [(rows / (8 * tile.high)) * (columns / (8 * tile.wide))],
  });
  recorder.submit();
  const expected = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    const one = input.subarray(row * depth, (row + 1) * depth);
    expected.set(product(one, weights.values, columns), row * columns);
  }
  expect(maxError(await scratch.readFloats(output), expected)).toBeLessThan(TOLERANCE);
  recorder.destroy();
});
