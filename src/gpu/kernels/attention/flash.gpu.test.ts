import { describe, expect, it } from "vitest";
import { randomCache } from "../../../../test/cache";
import { createTestScratch, maxError, randomFloats } from "../../../../test/kernels";
import { attention } from "../../selfTest/reference";
import { createFlash } from "./flash";

const TOLERANCE = 1e-5;

const { gpu, scratch } = await createTestScratch();

const CASES = [
  { heads: 5, kvHeads: 1, headDim: 80, kvType: "f16", rowsBefore: [140], rows: 18 },
  { heads: 2, kvHeads: 2, headDim: 20, kvType: "f16", rowsBefore: [0, 64], rows: 5 },
  { heads: 6, kvHeads: 2, headDim: 64, kvType: "f32", rowsBefore: [30, 5], rows: 21 },
  { heads: 4, kvHeads: 4, headDim: 16, kvType: "f32", rowsBefore: [0, 0, 1, 9], rows: 35 },
  { heads: 2, kvHeads: 1, headDim: 128, kvType: "f32", rowsBefore: [0], rows: 1 },
  { heads: 4, kvHeads: 2, headDim: 64, kvType: "q8", rowsBefore: [70, 5], rows: 21 },
  { heads: 2, kvHeads: 1, headDim: 80, kvType: "q4", rowsBefore: [70], rows: 9 },
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

describe.each([
  ["plain", undefined],
  ["subgroup", undefined],
  ["tiled", 2],
] as const)("flash %s over windows", (variant, height) => {
  it("attends within each window alone, all in one dispatch", async () => {
    const shape = { heads: 3, kvHeads: 3, headDim: 20 };
    const { heads, headDim } = shape;
    // As at the lower right of an image: windows become smaller.
    const windows = [
      { first: 0, rows: 64 },
      { first: 64, rows: 4 },
      { first: 68, rows: 36 },
    ];
    const rows = 104;
    const [queries, keys, values] = [3, 4, 5].map((seed) =>
      randomFloats(rows * heads * headDim, seed),
    ) as [Float32Array<ArrayBuffer>, Float32Array<ArrayBuffer>, Float32Array<ArrayBuffer>];
    // One more layer, which is not read, before the windows.
    const parts = [{ first: 0, rows }, ...windows];
    const table = parts.flatMap((part) =>
      Array.from({ length: heads }, (_, head) => [head * rows + part.first, 0, rows, part.rows]),
    );
    const output = scratch.empty((rows + 3) * heads * headDim);
    const lse = scratch.empty(rows * heads);
    const cache = {
      ...{ keys: scratch.upload(keys), values: scratch.upload(values), layer: 1 },
      table: scratch.upload(Uint32Array.from(table.flat())),
    };
    const spec = { variant, kvType: "f32", shape, isCausal: false, isWindowed: true } as const;
    const flash = await createFlash(gpu, { ...spec, ...(height && { height }) });
    const recorder = gpu.recorder("test");
    const buffers = { queries: scratch.upload(queries), output, lse };
    flash(recorder, { cache, ...buffers, rows: 64, windows: windows.length });
    recorder.submit();
    recorder.destroy();
    const expected = windows.flatMap((window) =>
      windowAttention(shape, { queries, keys, values }, rows, window),
    );
    const got = (await scratch.readFloats(output)).subarray(0, rows * heads * headDim);
    expect(maxError(got, Float32Array.from(expected))).toBeLessThan(TOLERANCE);
  });
});

/** Attention of a window's rows to all of them. Queries and result [rows, heads, headDim]; keys [heads, rows, headDim]. */
function windowAttention(
  { heads, headDim }: { readonly heads: number; readonly headDim: number },
  { queries, keys, values }: Readonly<Record<"queries" | "keys" | "values", Float32Array>>,
  total: number,
  { first, rows }: { readonly first: number; readonly rows: number },
): number[] {
  const inWindow = Array.from({ length: rows }, (_, i) => first + i);
  return inWindow.flatMap((row) =>
    Array.from({ length: heads }, (_, head) => {
      const at = (slot: number) => (head * total + slot) * headDim;
      const scores = inWindow.map((slot) => {
        let dot = 0;
        for (let d = 0; d < headDim; d++) {
          dot += queries[(row * heads + head) * headDim + d]! * keys[at(slot) + d]!;
        }
        return Math.exp(dot / Math.sqrt(headDim));
      });
      const mass = scores.reduce((sum, score) => sum + score, 0);
      return Array.from({ length: headDim }, (_, d) =>
        inWindow.reduce((sum, slot, i) => sum + (scores[i]! / mass) * values[at(slot) + d]!, 0),
      );
    }).flat(),
  );
}
