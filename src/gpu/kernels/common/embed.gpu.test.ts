import { expect, it } from "vitest";
import { createTestScratch, maxError, randomFloats, randomMatrix } from "../../../../test/kernels";
import { createEmbed, FEATURE_BIT } from "./embed";

/** A code and its bias are added in f32. */
const ROUNDING = 1e-6;

const { gpu, scratch } = await createTestScratch();

it.each([
  ["f32", 20],
  ["f16", 20],
  ["bf16", 20],
  ["q8g64", 68],
  ["q4g32", 68],
] as const)("places %s token rows and feature rows", async (dtype, width) => {
  const spec = { dtype, rows: 31, columns: width, partRows: 12 };
  const { matrix, values } = randomMatrix(scratch, spec, 1);
  const features = randomFloats(7 * width, 2);
  const slices = [
    { features: scratch.upload(features.slice(0, 3 * width)), firstRow: 0, rows: 3 },
    { features: scratch.upload(features.slice(3 * width)), firstRow: 3, rows: 4 },
  ];
  const ids = [30, 0, FEATURE_BIT + 6, 11, 12, FEATURE_BIT, FEATURE_BIT + 3, 23, 24];
  const output = scratch.empty(ids.length * width);
  const embed = await createEmbed(gpu, dtype);
  const recorder = gpu.recorder("test");
  const buffers = { ids: scratch.upload(Uint32Array.from(ids)), output };
  embed(recorder, { ...buffers, table: matrix, features: slices, rows: ids.length });
  recorder.submit();
  const expected = ids.flatMap((id) => {
    const [source, row] = id >= FEATURE_BIT ? [features, id - FEATURE_BIT] : [values, id];
    return [...source.subarray(row * width, (row + 1) * width)];
  });
  const error = maxError(await scratch.readFloats(output), Float32Array.from(expected));
  expect(error).toBeLessThanOrEqual(dtype.startsWith("q") ? ROUNDING : 0);
  recorder.destroy();
});
