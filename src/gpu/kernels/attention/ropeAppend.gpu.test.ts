import { expect, it } from "vitest";
import { randomAngles, randomCache } from "../../../../test/cache";
import { createTestScratch, maxError, randomFloats } from "../../../../test/kernels";
import { rmsNorm, rotate } from "../../selfTest/reference";
import { createRopeAppend } from "./ropeAppend";

const { gpu, scratch } = await createTestScratch();

it.each([
  ["f32", 1e-6, false],
  ["f16", 2e-3, false],
  ["f32", 1e-5, true],
] as const)(
  "rotates queries and keys and appends to a %s cache, %s, normed: %s",
  async (kvType, tolerance, isNormed) => {
    const shape = { heads: 6, kvHeads: 2, headDim: 20 };
    const [rows, width] = [11, 10 * 20];
    const cache = randomCache(scratch, shape, kvType, [70, 3], 2);
    const qkv = randomFloats(rows * width, 1);
    const angles = randomAngles(rows, 20);
    const queries = scratch.empty(rows * 6 * 20);
    const append = await createRopeAppend(gpu, kvType, isNormed);
    const weights = randomFloats(2 * 20, 3);
    const norm = isNormed ? { weights: scratch.upload(weights), epsilon: 1e-5 } : undefined;
    const recorder = gpu.recorder("test");
    const buffers = { qkv: scratch.upload(qkv), angles: scratch.upload(angles), queries };
    append(recorder, { shape, cache: cache.binding, ...buffers, rows, norm });
    recorder.submit();

    const normed = qkv.slice();
    for (let at = 0; isNormed && at < normed.length; at += 20) {
      const head = (at / 20) % 10;
      if (head >= 8) continue;
      const weight = weights.subarray(head < 6 ? 0 : 20).subarray(0, 20);
      normed.set(rmsNorm(qkv.subarray(at, at + 20), weight, 1e-5), at);
    }
    const rotated = rotate(normed, angles, 10, 20);
    const pick = (from: Float32Array, row: number, head: number) =>
      from.subarray(row * width + head * 20, row * width + (head + 1) * 20);
    const actual = await scratch.readFloats(queries);
    for (let row = 0; row < rows; row++) {
      const expected = rotated.slice(row * width, row * width + 120);
      expect(maxError(actual.slice(row * 120), expected)).toBeLessThan(
        tolerance === 2e-3 ? 1e-6 : tolerance,
      );
    }
    for (const g of [0, 1]) {
      const [keys, values] = [await cache.read("keys", g), await cache.read("values", g)];
      const before = cache.before(g);
      expect(keys.slice(0, before * 20)).toEqual(cache.keys(g).slice(0, before * 20));
      for (let row = 0; row < rows; row++) {
        const slot = (before + row) * 20;
        const key = pick(rotated, row, 6 + g).slice();
        const value = pick(qkv, row, 8 + g).slice();
        expect(maxError(keys.slice(slot), key)).toBeLessThan(tolerance);
        expect(maxError(values.slice(slot), value)).toBeLessThan(tolerance);
      }
    }
    recorder.destroy();
  },
);
