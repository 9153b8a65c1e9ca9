import { afterAll, expect, it } from "vitest";
import { createTestGpu } from "../../../../test/dawn";
import { maxError, randomFloats } from "../../../../test/kernels";
import { TestBuffers } from "../../selfTest/testBuffers";
import { createReceivedAttention } from "./receivedAttention";

const gpu = await createTestGpu();
const scratch = new TestBuffers(gpu);
afterAll(() => {
  scratch.destroy();
  gpu.device.destroy();
});

it.each([1, 5])("sums the attention of the first %i rows of each tile", async (queryRows) => {
  const shape = { tiles: 2, rowsPerTile: 5, heads: 3, headDim: 8 };
  const { tiles, rowsPerTile, heads, headDim } = shape;
  const rows = tiles * rowsPerTile;
  const queries = randomFloats(rows * heads * headDim, 1);
  const keys = randomFloats(rows * heads * headDim, 2);
  const score = (query: number, head: number, key: number) => {
    let sum = 0;
    for (let d = 0; d < headDim; d++) {
      const [q, k] = [(query * heads + head) * headDim + d, (head * rows + key) * headDim + d];
      sum += queries[q]! * keys[k]!;
    }
    return Math.exp(sum / Math.sqrt(headDim));
  };
  const total = (query: number, head: number) => {
    const first = query - (query % rowsPerTile);
    return Array.from({ length: rowsPerTile }, (_, i) => score(query, head, first + i)).reduce(
      (a, b) => a + b,
    );
  };
  const lse = Float32Array.from({ length: rows * heads }, (_, i) =>
    Math.log(total(Math.floor(i / heads), i % heads)),
  );
  const expected = Float32Array.from({ length: rows }, (_, key) => {
    const first = key - (key % rowsPerTile);
    let sum = 0;
    for (let head = 0; head < heads; head++) {
      for (let q = first; q < first + queryRows; q++) sum += score(q, head, key) / total(q, head);
    }
    return sum / (heads * queryRows);
  });
  const received = scratch.empty(rowsPerTile + rows);
  const run = await createReceivedAttention(gpu);
  const recorder = gpu.recorder("test");
  const buffers = { queries: scratch.upload(queries), keys: scratch.upload(keys), received };
  run(recorder, { ...buffers, lse: scratch.upload(lse), queryRows, firstTile: 1, ...shape });
  recorder.submit();
  const actual = (await scratch.readFloats(received)).slice(rowsPerTile);
  expect(maxError(actual, expected)).toBeLessThan(1e-6);
  recorder.destroy();
});
