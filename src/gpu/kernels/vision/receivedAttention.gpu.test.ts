import { expect, it } from "vitest";
import { createTestScratch, maxError, randomFloats } from "../../../../test/kernels";
import { createReceivedAttention } from "./receivedAttention";

const { gpu, scratch } = await createTestScratch();

it.each([1, 5])("sums the attention of the first %i rows of a range", async (queryRows) => {
  const shape = { total: 12, first: 4, rows: 5, heads: 3, headDim: 8 };
  const { total, first, rows, heads, headDim } = shape;
  const queries = randomFloats(total * heads * headDim, 1);
  const keys = randomFloats(total * heads * headDim, 2);
  const weight = (query: number, head: number, key: number) => {
    let sum = 0;
    for (let d = 0; d < headDim; d++) {
      const [q, k] = [(query * heads + head) * headDim + d, (head * total + key) * headDim + d];
      sum += queries[q]! * keys[k]!;
    }
    return Math.exp(sum / Math.sqrt(headDim));
  };
  const range = Array.from({ length: rows }, (_, row) => first + row);
  const sumOf = (query: number, head: number) =>
    range.reduce((sum, key) => sum + weight(query, head, key), 0);
  const lse = Float32Array.from({ length: total * heads }, (_, i) =>
    Math.log(sumOf(Math.floor(i / heads), i % heads)),
  );
  const expected = Float32Array.from(range, (key) => {
    let sum = 0;
    for (let head = 0; head < heads; head++) {
      for (const query of range.slice(0, queryRows)) {
        sum += weight(query, head, key) / sumOf(query, head);
      }
    }
    return sum / (heads * queryRows);
  });
  const received = scratch.empty(2 + rows);
  const run = await createReceivedAttention(gpu);
  const recorder = gpu.recorder("test");
  const buffers = { queries: scratch.upload(queries), keys: scratch.upload(keys), received };
  run(recorder, { ...buffers, lse: scratch.upload(lse), queryRows, to: 2, ...shape });
  recorder.submit();
  const actual = (await scratch.readFloats(received)).slice(2);
  expect(maxError(actual, expected)).toBeLessThan(1e-6);
  recorder.destroy();
});
