import { afterAll, expect, it } from "vitest";
import { randomCache } from "../../../../test/cache";
import { createTestGpu } from "../../../../test/dawn";
import { randomFloats } from "../../../../test/kernels";
import { TestBuffers } from "../../selfTest/testBuffers";
import { loadKvRows, storeKvRows } from "../kv/kvRows";
import { createRoundRows } from "./roundRows";

const gpu = await createTestGpu();
const scratch = new TestBuffers(gpu);
afterAll(() => {
  scratch.destroy();
  gpu.device.destroy();
});

it.each([
  ["q8", 64, "one"],
  ["q8", 20, "workgroup"],
  ["q4", 80, "one"],
  ["q4", 128, "subgroup"],
  ["q4", 20, "one"],
] as const)("rounds rows to %s of %i, %s", async (kvType, headDim, reduction) => {
  const shape = { heads: 2, kvHeads: 2, headDim };
  const [rows, stride] = [11, 64];
  const cache = randomCache(scratch, shape, kvType, [60, 3], 1);
  // A row of equal values, and one of large ones, among ordinary rows.
  const tensors = [1, 2].map((seed) => {
    const values = randomFloats(2 * stride * headDim, seed);
    values.fill(0.25, 0, headDim);
    for (let i = headDim; i < 2 * headDim; i++) values[i]! *= 70_000;
    return values;
  });
  const [keys, values] = tensors.map((tensor) => scratch.upload(tensor)) as [GPUBuffer, GPUBuffer];
  const round = await createRoundRows(gpu, kvType, shape, reduction);
  const recorder = gpu.recorder("test");
  const table = scratch.empty(8);
  const from = { binding: { keys, values, table, layer: 0 }, stride };
  round(recorder, { from, cache: cache.binding, rows });
  recorder.submit();
  for (const [i, which] of (["keys", "values"] as const).entries()) {
    const rounded = loadKvRows(storeKvRows(tensors[i]!, headDim, kvType), headDim, kvType);
    for (const head of [0, 1]) {
      const actual = await cache.read(which, head);
      const before = cache.before(head) * headDim;
      expect(actual.slice(0, before)).toEqual(cache[which](head).slice(0, before));
      for (let row = 0; row < rows; row++) {
        const at = (head * stride + row) * headDim;
        const expected = rounded.subarray(at, at + headDim);
        const stored = actual.subarray(before + row * headDim, before + (row + 1) * headDim);
        const bound = 1e-6 * Math.max(...expected.map(Math.abs));
        for (const [e, value] of expected.entries()) {
          expect(Math.abs(stored[e]! - value)).toBeLessThanOrEqual(bound);
        }
      }
    }
  }
  recorder.destroy();
});
