import { afterAll, afterEach, describe, expect, it } from "vitest";
import { randomCache } from "../../../../test/cache";
import { createTestGpu } from "../../../../test/dawn";
import { maxError, randomFloats } from "../../../../test/kernels";
import { attention } from "../../selfTest/reference";
import { TestBuffers } from "../../selfTest/testBuffers";
import type { HeadShape } from "../kv/cacheBinding";
import { loadKvRows, storeKvRows } from "../kv/kvRows";
import { isGroupedKv, type KvType } from "../kv/kvType";
import { type AttendSpec, createAttend } from "./attend";
import { ATTEND_DIVISIONS } from "./attendDivision";

const TOLERANCE = 1e-5;
/** A number between two f16 may take either, since the GPU's inverse square root is not exact. */
const ROUNDED_TOLERANCE = 1e-3;
/** Slots that no kernel takes at once. */
const MANY = 2048;
const EPSILON = 0.01;
/** Rows of a head's region that are not in use, at least. */
const SPARE_ROWS = 40;

const gpu = await createTestGpu();
const scratch = new TestBuffers(gpu);
afterEach(() => scratch.destroy());
afterAll(() => gpu.device.destroy());

type Case = HeadShape &
  Pick<AttendSpec, "kvType" | "division"> & {
    readonly rowsBefore: readonly number[];
    readonly isNormed: boolean;
  };

/** Among them new rows that are alone in their split, and in their cache; and query heads in several units. */
const CASES: readonly Case[] = [
  { heads: 4, kvHeads: 4, headDim: 16, kvType: "f32", rowsBefore: [0, 31, 64, 9], isNormed: true },
  {
    ...{ heads: 7, kvHeads: 1, headDim: 64, kvType: "q8", rowsBefore: [300], isNormed: true },
    division: ATTEND_DIVISIONS.fewHeads,
  },
  {
    ...{
      heads: 22,
      kvHeads: 2,
      headDim: 24,
      kvType: "f16",
      rowsBefore: [129, 127],
      isNormed: true,
    },
    division: { directSlots: 0, leastSpan: 32, workgroup: 64, mostHeads: 4, wantedGroups: 8 },
  },
  { heads: 7, kvHeads: 1, headDim: 128, kvType: "q4", rowsBefore: [256], isNormed: true },
  {
    ...{ heads: 2, kvHeads: 2, headDim: 64, kvType: "q4", rowsBefore: [64, 9], isNormed: false },
    division: ATTEND_DIVISIONS.fine,
  },
];
/** Other reductions differ in `reduction_*.wgsl` alone; their kernels compile slowly here. */
const FEW = CASES.slice(0, 1);

/** A row [all heads, headDim], and sums of squares as `decode_qkv_row.wgsl` leaves them, with what a norm makes of it. */
function newRow({ heads, kvHeads, headDim, kvType, isNormed }: Case) {
  const all = heads + 2 * kvHeads;
  const row = randomFloats(all * headDim, 3).map((value, at) => {
    const head = Math.floor(at / headDim);
    if (head < heads) return 3 * value;
    // Keys and values that codes hold: no number is between two of them.
    const place = (at % headDim) % 32;
    const levels = kvType === "q4" ? 15 : 255;
    const code = Math.round(((value + 1) / 2) * levels);
    const coded = (2 * (place === 0 ? 0 : place === 1 ? levels : code)) / levels - 1;
    return isGroupedKv(kvType) ? coded : value;
  });
  const stride = Math.ceil(headDim / 16) * 4;
  const squares = randomFloats((heads + kvHeads) * stride, 4).map((value) => value + 1.5);
  const scaled = row.map((value, at) => {
    const head = Math.floor(at / headDim);
    if (!isNormed || head >= heads + kvHeads) return value;
    const first = head * stride;
    const sum = squares.slice(first, first + headDim / 4).reduce((a, b) => a + b, 0);
    return value / Math.sqrt(sum / headDim + EPSILON);
  });
  return { qkv: Float32Array.of(...row, ...squares), scaled };
}

/** A row as the cache holds it. */
function rounded(row: Float32Array<ArrayBuffer>, kvType: KvType): Float32Array<ArrayBuffer> {
  const words = storeKvRows(row, row.length, kvType);
  return loadKvRows(words, row.length, kvType).slice(0, row.length);
}

describe.each([
  ["workgroup", FEW],
  ["subgroup", CASES],
] as const)("attend that appends, with a %s reduction", (reduction, cases) => {
  it.each(cases)("$heads over $kvHeads of $headDim, $kvType, normed: $isNormed", async (test) => {
    const { kvType, rowsBefore, division, isNormed, heads, kvHeads, headDim } = test;
    const shape = { heads, kvHeads, headDim };
    const { qkv, scaled } = newRow(test);
    const attend = await createAttend(gpu, {
      ...{ reduction, kvType, shape },
      ...(division && { division }),
      newRow: isNormed ? { normEpsilon: EPSILON } : {},
    });
    const uploaded = scratch.upload(qkv);
    const recorder = gpu.recorder("test");
    const size = heads * headDim;
    // A large capacity makes several splits of the rows that are there.
    const results = [MANY, 64].map((capacity) => {
      const cache = randomCache(scratch, shape, kvType, rowsBefore, 1);
      const splits = attend.splits(Math.max(capacity, cache.capacity));
      const [queries, output, lse] = [size, size, heads].map((words) => scratch.empty(words)) as [
        GPUBuffer,
        GPUBuffer,
        GPUBuffer,
      ];
      attend(recorder, {
        cache: cache.binding,
        capacity: Math.max(capacity, cache.capacity),
        queries,
        qkv: uploaded,
        partials: scratch.empty(splits * size),
        stats: scratch.empty(splits * heads * 2),
        output,
        lse,
      });
      return { cache, queries, output, lse };
    });
    recorder.submit();
    const line = (head: number) => scaled.slice(head * headDim, (head + 1) * headDim);
    const isRounded = isNormed && kvType !== "f32";
    const tolerance = isRounded ? ROUNDED_TOLERANCE : TOLERANCE;
    for (const { cache, queries, output, lse } of results) {
      const rowsOf = (which: "keys" | "values", g: number) => {
        const rows = cache[which](g).slice();
        const head = heads + (which === "keys" ? 0 : kvHeads) + g;
        rows.set(rounded(line(head), kvType), cache.before(g) * headDim);
        return rows;
      };
      const keys = (g: number) => rowsOf("keys", g);
      const values = (g: number) => rowsOf("values", g);
      const queried = scaled.slice(0, size);
      const expected = attention({ shape, queries: queried, ...cache, keys, values });
      expect(maxError(await scratch.readFloats(queries), queried)).toBeLessThan(TOLERANCE);
      expect(maxError(await scratch.readFloats(output), expected.output)).toBeLessThan(tolerance);
      expect(maxError(await scratch.readFloats(lse), expected.lse)).toBeLessThan(tolerance);
      for (let g = 0; g < kvHeads; g++) {
        for (const which of ["keys", "values"] as const) {
          const stored = await cache.read(which, g);
          const at = cache.before(g) * headDim;
          expect(stored.slice(0, at)).toEqual(cache[which](g).slice(0, at));
          const [after, end] = [at + headDim, at + SPARE_ROWS * headDim];
          expect(stored.slice(after, end)).toEqual(cache[which](g).slice(after, end));
          const row = rowsOf(which, g).slice(at, at + headDim);
          expect(maxError(stored.slice(at, at + headDim), row)).toBeLessThan(tolerance);
        }
      }
    }
    recorder.destroy();
  });
});
