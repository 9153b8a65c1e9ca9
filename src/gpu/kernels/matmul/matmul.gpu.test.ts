import { describe, expect, it } from "vitest";
import { createTestScratch, maxError, randomFloats, randomMatrix } from "../../../../test/kernels";
import { gated, matmul } from "../../selfTest/reference";
import { createMatmul } from "./matmul";

/** 76 products of numbers below one, summed in f32. */
const TOLERANCE = 2e-5;

/** 1068 such products. */
const LONG_TOLERANCE = 1e-4;

/** Weights below one rounded to 11 bits, so by 2.4e-4 at most, in 76 products. */
const F16_TOLERANCE = 5e-3;

const { gpu, scratch } = await createTestScratch();

const [rows, depth] = [37, 76];
const TYPES = ["f32", "f16", "bf16", "q8g32", "q4g64"] as const;

it.each(["square", "broad", "narrow4", "narrow8"] as const)(
  "gates through a %s block",
  async (block) => {
    const [many, width] = [135, 46];
    const spec = { dtype: "f16" as const, rows: width, columns: depth, isGated: true };
    const { matrix, values } = randomMatrix(scratch, spec, 11);
    const input = randomFloats(many * depth, 12);
    const bias = randomFloats(2 * width, 13);
    const output = scratch.empty(many * width);
    const kind = { variant: "tiled", block } as const;
    const run = await createMatmul(gpu, { ...kind, dtype: "f16", store: "gated" });
    const recorder = gpu.recorder("test");
    const buffers = { input: scratch.upload(input), bias: scratch.upload(bias), output };
    run(recorder, { ...buffers, matrix, rows: many });
    recorder.submit();
    const expected = gated(matmul(input, values, bias), width);
    expect(maxError(await scratch.readFloats(output), expected)).toBeLessThan(1e-4);
    recorder.destroy();
  },
);

it.each(["f16", "q4g64"] as const)("multiplies a few long rows of %s weights", async (dtype) => {
  // 267 vec4: more than the 64 invocations along the depth load in a round, of either format, and an odd number.
  const [few, columns, long] = [7, 19, 1068];
  const { matrix, values } = randomMatrix(scratch, { dtype, rows: columns, columns: long }, 1);
  const input = randomFloats(few * long, 2);
  const bias = randomFloats(columns, 3);
  const output = scratch.empty(few * columns);
  const kind = { variant: "tiled", block: "narrow8" } as const;
  const run = await createMatmul(gpu, { ...kind, dtype, store: "bias" });
  const recorder = gpu.recorder("test");
  const buffers = { input: scratch.upload(input), bias: scratch.upload(bias), output };
  run(recorder, { ...buffers, matrix, rows: few });
  recorder.submit();
  const actual = await scratch.readFloats(output);
  expect(maxError(actual, matmul(input, values, bias))).toBeLessThan(LONG_TOLERANCE);
  recorder.destroy();
});

describe.each([
  { variant: "registers" },
  { variant: "subgroup" },
  { variant: "tiled", block: "small" },
  { variant: "tiled", block: "narrow4" },
] as const)("matmul $variant", (kind) => {
  it.each(TYPES)("multiplies %s weights in parts", async (dtype) => {
    const columns = 101;
    const spec = { dtype, rows: columns, columns: depth, partRows: 44 };
    const { matrix, values } = randomMatrix(scratch, spec, 1);
    const input = randomFloats(rows * depth, 2);
    const bias = randomFloats(columns, 3);
    const output = scratch.empty(rows * columns);
    const run = await createMatmul(gpu, { ...kind, dtype, store: "bias" });
    const recorder = gpu.recorder("test");
    const buffers = { input: scratch.upload(input), bias: scratch.upload(bias), output };
    run(recorder, { ...buffers, matrix, rows });
    recorder.submit();
    const actual = await scratch.readFloats(output);
    expect(maxError(actual, matmul(input, values, bias))).toBeLessThan(TOLERANCE);
    recorder.destroy();
  });

  it("adds to what is there", async () => {
    const columns = 30;
    const spec = { dtype: "f32" as const, rows: columns, columns: depth };
    const { matrix, values } = randomMatrix(scratch, spec, 4);
    const input = randomFloats(rows * depth, 5);
    const bias = randomFloats(columns, 6);
    const before = randomFloats(rows * columns, 7);
    const output = scratch.upload(before);
    const run = await createMatmul(gpu, { ...kind, dtype: "f32", store: "residual" });
    const recorder = gpu.recorder("test");
    const buffers = { input: scratch.upload(input), bias: scratch.upload(bias), output };
    run(recorder, { ...buffers, matrix, rows });
    recorder.submit();
    const expected = matmul(input, values, bias).map((v, at) => v + (before[at] as number));
    expect(maxError(await scratch.readFloats(output), expected)).toBeLessThan(TOLERANCE);
    recorder.destroy();
  });

  it("adds scaled products to what is there", async () => {
    const columns = 30;
    const spec = { dtype: "f16" as const, rows: columns, columns: depth };
    const { matrix, values } = randomMatrix(scratch, spec, 11);
    const input = randomFloats(rows * depth, 12);
    const [bias, scale] = [randomFloats(columns, 13), randomFloats(columns, 14)];
    const before = randomFloats(rows * columns, 15);
    const output = scratch.upload(before);
    const run = await createMatmul(gpu, { ...kind, dtype: "f16", store: "scaled" });
    const recorder = gpu.recorder("test");
    const both = scratch.upload(Float32Array.of(...bias, ...scale));
    run(recorder, { input: scratch.upload(input), bias: both, output, matrix, rows });
    recorder.submit();
    const expected = matmul(input, values, bias).map(
      (v, at) => v * (scale[at % columns] as number) + (before[at] as number),
    );
    expect(maxError(await scratch.readFloats(output), expected)).toBeLessThan(TOLERANCE);
    recorder.destroy();
  });

  it("gates in parts", async () => {
    const width = 46;
    const spec = { dtype: "f16" as const, rows: width, columns: depth, partRows: 18 };
    const { matrix, values } = randomMatrix(scratch, { ...spec, isGated: true }, 8);
    const input = randomFloats(rows * depth, 9);
    const bias = randomFloats(2 * width, 10);
    const output = scratch.empty(rows * width);
    const run = await createMatmul(gpu, { ...kind, dtype: "f16", store: "gated" });
    const recorder = gpu.recorder("test");
    const buffers = { input: scratch.upload(input), bias: scratch.upload(bias), output };
    run(recorder, { ...buffers, matrix, rows });
    recorder.submit();
    const expected = gated(matmul(input, values, bias), width);
    expect(maxError(await scratch.readFloats(output), expected)).toBeLessThan(1e-4);
    recorder.destroy();
  });
});

describe.skipIf(!gpu.features.f16)("matmul tiledF16", () => {
  const kind = { variant: "tiledF16" } as const;

  it.each([
    ["small", "f16"],
    ["square", "bf16"],
    ["broad", "q8g32"],
    ["broad", "f32"],
  ] as const)("multiplies in a %s block of %s weights", async (block, dtype) => {
    const [many, columns] = [135, 101];
    const spec = { dtype, rows: columns, columns: depth, partRows: 44 };
    const { matrix, values } = randomMatrix(scratch, spec, 1);
    // f16 holds these exactly.
    const input = randomFloats(many * depth, 2).map((v) => Math.round(v * 1024) / 1024);
    const bias = randomFloats(columns, 3);
    const expected = matmul(input, values, bias);
    for (const store of ["bias", "residual"] as const) {
      const output = scratch.empty(many * columns);
      const run = await createMatmul(gpu, { ...kind, block, dtype, store });
      const recorder = gpu.recorder("test");
      const buffers = { input: scratch.upload(input), bias: scratch.upload(bias), output };
      run(recorder, { ...buffers, matrix, rows: many });
      recorder.submit();
      const error = maxError(await scratch.readFloats(output), expected);
      const isExact = store === "residual" || dtype === "f16";
      expect(error).toBeLessThan(isExact ? TOLERANCE : F16_TOLERANCE);
      recorder.destroy();
    }
  });

  it("holds the largest f16 instead of an infinity", async () => {
    const { matrix, values } = randomMatrix(scratch, { dtype: "f16", rows: 1, columns: 4 }, 1);
    const input = new Float32Array([1e6, 0, 0, 0]);
    const output = scratch.empty(1);
    const run = await createMatmul(gpu, { ...kind, block: "small", dtype: "f16", store: "bias" });
    const recorder = gpu.recorder("test");
    run(recorder, {
      input: scratch.upload(input),
      bias: scratch.empty(1),
      output,
      matrix,
      rows: 1,
    });
    recorder.submit();
    expect((await scratch.readFloats(output))[0]).toBe(65_504 * (values[0] as number));
    recorder.destroy();
  });
});
