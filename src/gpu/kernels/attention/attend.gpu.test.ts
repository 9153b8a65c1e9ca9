import { afterAll, afterEach, describe, expect, it } from "vitest";
import { randomCache } from "../../../../test/cache";
import { createTestGpu } from "../../../../test/dawn";
import { maxError, randomFloats } from "../../../../test/kernels";
import { attention } from "../../selfTest/reference";
import { TestBuffers } from "../../selfTest/testBuffers";
import type { HeadShape } from "../kv/cacheBinding";
import { type AttendSpec, createAttend } from "./attend";
import { ATTEND_DIVISIONS } from "./attendDivision";

const TOLERANCE = 1e-5;
/** Slots that no kernel takes at once. */
const MANY = 2048;

const gpu = await createTestGpu();
const scratch = new TestBuffers(gpu);
afterEach(() => scratch.destroy());
afterAll(() => gpu.device.destroy());

type Case = HeadShape &
  Pick<AttendSpec, "kvType" | "division"> & { readonly rowsBefore: readonly number[] };

const CASES: readonly Case[] = [
  { heads: 6, kvHeads: 2, headDim: 64, kvType: "f32", rowsBefore: [130, 63] },
  { heads: 4, kvHeads: 4, headDim: 16, kvType: "f32", rowsBefore: [0, 31, 64, 9] },
  { heads: 8, kvHeads: 1, headDim: 256, kvType: "f16", rowsBefore: [300] },
  {
    ...{ heads: 22, kvHeads: 2, headDim: 24, kvType: "f16", rowsBefore: [129, 127] },
    division: { directSlots: 0, leastSpan: 32, workgroup: 64, mostHeads: 4, wantedGroups: 8 },
  },
  {
    ...{ heads: 8, kvHeads: 1, headDim: 64, kvType: "f16", rowsBefore: [300] },
    division: ATTEND_DIVISIONS.fine,
  },
  {
    ...{ heads: 7, kvHeads: 1, headDim: 64, kvType: "q8", rowsBefore: [300] },
    division: ATTEND_DIVISIONS.fewHeads,
  },
  { heads: 2, kvHeads: 1, headDim: 20, kvType: "f16", rowsBefore: [40] },
  { heads: 2, kvHeads: 1, headDim: 260, kvType: "f32", rowsBefore: [70] },
  { heads: 6, kvHeads: 2, headDim: 64, kvType: "q8", rowsBefore: [130, 63] },
  { heads: 3, kvHeads: 1, headDim: 20, kvType: "q8", rowsBefore: [70] },
  { heads: 7, kvHeads: 1, headDim: 128, kvType: "q4", rowsBefore: [300] },
  { heads: 2, kvHeads: 2, headDim: 80, kvType: "q4", rowsBefore: [64, 9] },
];
/** Other reductions differ in `reduction_*.wgsl` alone; their kernels compile slowly here. */
const FEW = CASES.slice(0, 2);

describe.each([
  ["one", CASES],
  ["workgroup", FEW],
  ["subgroup", CASES],
] as const)("attend with a %s reduction", (reduction, cases) => {
  it.each(cases)("$heads over $kvHeads of $headDim, $kvType", async (test) => {
    const { kvType, rowsBefore, division } = test;
    const shape = { heads: test.heads, kvHeads: test.kvHeads, headDim: test.headDim };
    const { heads, headDim } = shape;
    const cache = randomCache(scratch, shape, kvType, rowsBefore, 1);
    const queries = randomFloats(heads * headDim, 3).map((value) => 3 * value);
    const attend = await createAttend(gpu, {
      ...{ reduction, kvType, shape },
      ...(division && { division }),
    });
    const uploaded = scratch.upload(queries);
    const recorder = gpu.recorder("test");
    // A large capacity makes several splits of the rows that are there.
    const results = [cache.capacity, MANY].map((capacity) => {
      const splits = attend.splits(capacity);
      const output = scratch.empty(heads * headDim);
      const lse = scratch.empty(heads);
      attend(recorder, {
        cache: cache.binding,
        capacity,
        queries: uploaded,
        partials: scratch.empty(splits * heads * headDim),
        stats: scratch.empty(splits * heads * 2),
        output,
        lse,
      });
      return { output, lse };
    });
    recorder.submit();
    const expected = attention({ shape, queries, ...cache });
    for (const { output, lse } of results) {
      expect(maxError(await scratch.readFloats(output), expected.output)).toBeLessThan(TOLERANCE);
      expect(maxError(await scratch.readFloats(lse), expected.lse)).toBeLessThan(TOLERANCE);
    }
    recorder.destroy();
  });
});
