import { afterAll, afterEach, describe, expect, it } from "vitest";
import { randomAngles, randomCache } from "../../../../test/cache";
import { createTestGpu } from "../../../../test/dawn";
import { maxError, randomFloats, randomMatrix } from "../../../../test/kernels";
import { gated, matmul, rmsNorm, rotate } from "../../selfTest/reference";
import { TestBuffers } from "../../selfTest/testBuffers";
import { runColumns } from "../common/dtype";
import { createDecodeKernels } from "./decode";

const TOLERANCE = 2e-5;
/** Thousands of products. */
const LONG_TOLERANCE = 2e-4;
const KV_TOLERANCE = { f32: TOLERANCE, f16: 1e-2 } as const;
const EPSILON = 1e-5;

const gpu = await createTestGpu();
const scratch = new TestBuffers(gpu);
afterEach(() => scratch.destroy());
afterAll(() => gpu.device.destroy());

const depth = 92;

describe.each([
  ["one", "f32", "f32"],
  ["one", "f16", "f16"],
  ["one", "bf16", "f16"],
  ["one", "q8g64", "f32"],
  ["workgroup", "q4g32", "f32"],
  ["workgroup", "f16", "f32"],
  ["subgroup", "bf16", "f32"],
] as const)("%s reduction, %s weights, %s cache", (reduction, dtype, kvType) => {
  it("projects, rotates and appends a row", async () => {
    const shape = { heads: 5, kvHeads: 1, headDim: 12 };
    const rows = 7 * 12;
    const spec = { dtype, rows, columns: depth, partRows: 36 };
    const { matrix, values } = randomMatrix(scratch, spec, 1);
    const cache = randomCache(scratch, shape, kvType, [70], 1);
    const input = randomFloats(depth, 2);
    const normWeight = randomFloats(depth, 3);
    const bias = randomFloats(rows, 4);
    const angles = randomAngles(1, 12);
    const queries = scratch.empty(60);
    const kernels = await createDecodeKernels(gpu, { reduction, dtype, kvType });
    const recorder = gpu.recorder("test");
    kernels.qkv(recorder, {
      shape,
      cache: cache.binding,
      input: scratch.upload(input),
      normWeightAndBias: scratch.upload(Float32Array.of(...normWeight, 0, 0, 0, 0, ...bias)),
      biasFirst: depth + 4,
      matrix,
      angles: scratch.upload(angles),
      queries,
      epsilon: EPSILON,
    });
    recorder.submit();
    const product = matmul(rmsNorm(input, normWeight, EPSILON), values, bias);
    const rotated = rotate(product, angles, 7, 12);
    const slot = 70 * 12;
    const [keys, stored] = [await cache.read("keys", 0), await cache.read("values", 0)];
    const tolerance = KV_TOLERANCE[kvType];
    expect(maxError(await scratch.readFloats(queries), rotated.slice(0, 60))).toBeLessThan(
      TOLERANCE,
    );
    expect(maxError(keys.slice(slot), rotated.slice(60, 72))).toBeLessThan(tolerance);
    expect(maxError(stored.slice(slot), product.slice(72))).toBeLessThan(tolerance);
    expect(keys.slice(0, slot)).toEqual(cache.keys(0).slice(0, slot));
    recorder.destroy();
  });

  it("projects onto the residual", async () => {
    const rows = 45;
    const { matrix, values } = randomMatrix(
      scratch,
      { dtype, rows, columns: depth, partRows: 24 },
      5,
    );
    const input = randomFloats(depth, 6);
    const bias = randomFloats(rows, 7);
    const before = randomFloats(rows, 8);
    const output = scratch.upload(before);
    const kernels = await createDecodeKernels(gpu, { reduction, dtype, kvType });
    const recorder = gpu.recorder("test");
    const buffers = { input: scratch.upload(input), bias: scratch.upload(bias), output };
    kernels.project(recorder, { ...buffers, matrix });
    recorder.submit();
    const expected = matmul(input, values, bias).map((v, at) => v + (before[at] as number));
    expect(maxError(await scratch.readFloats(output), expected)).toBeLessThan(TOLERANCE);
    recorder.destroy();
  });

  it("gates", async () => {
    const rows = 45;
    const spec = { dtype, rows, columns: depth, partRows: 24, isGated: true };
    const { matrix, values } = randomMatrix(scratch, spec, 9);
    const input = randomFloats(depth, 10);
    const normWeight = randomFloats(depth, 11);
    const bias = randomFloats(2 * rows, 12);
    const output = scratch.empty(rows);
    const kernels = await createDecodeKernels(gpu, { reduction, dtype, kvType });
    const recorder = gpu.recorder("test");
    const vectors = { input: scratch.upload(input), normWeight: scratch.upload(normWeight) };
    const rest = { bias: scratch.upload(bias), output, matrix, epsilon: EPSILON };
    kernels.gated(recorder, { ...vectors, ...rest });
    recorder.submit();
    const expected = gated(matmul(rmsNorm(input, normWeight, EPSILON), values, bias), rows);
    expect(maxError(await scratch.readFloats(output), expected)).toBeLessThan(1e-4);
    recorder.destroy();
  });

  it("loads runs ahead where a row is long", async () => {
    const [rows, long] = [5, 2 * 64 * runColumns(dtype) + 36];
    const { matrix, values } = randomMatrix(scratch, { dtype, rows, columns: long }, 16);
    const [input, normWeight] = [randomFloats(long, 17), randomFloats(long, 18)];
    const [output, logits] = [scratch.empty(rows), scratch.empty(rows)];
    const kernels = await createDecodeKernels(gpu, { reduction, dtype, kvType });
    const recorder = gpu.recorder("test");
    const bias = scratch.empty(rows);
    const vectors = { input: scratch.upload(input), normWeight: scratch.upload(normWeight) };
    kernels.project(recorder, { input: vectors.input, matrix, bias, output });
    kernels.head(recorder, { ...vectors, inputRow: 0, matrix, logits, epsilon: EPSILON });
    recorder.submit();
    const none = new Float32Array(rows);
    const normed = rmsNorm(input, normWeight, EPSILON);
    const errors = [
      maxError(await scratch.readFloats(output), matmul(input, values, none)),
      maxError(await scratch.readFloats(logits), matmul(normed, values, none)),
    ];
    expect(Math.max(...errors)).toBeLessThan(LONG_TOLERANCE);
    recorder.destroy();
  });

  it("reads logits off a row", async () => {
    const rows = 41;
    const spec = { dtype, rows, columns: depth, partRows: 20 };
    const { matrix, values } = randomMatrix(scratch, spec, 13);
    const input = randomFloats(3 * depth, 14);
    const normWeight = randomFloats(depth, 15);
    const logits = scratch.empty(rows);
    const kernels = await createDecodeKernels(gpu, { reduction, dtype, kvType });
    const recorder = gpu.recorder("test");
    const vectors = { input: scratch.upload(input), normWeight: scratch.upload(normWeight) };
    kernels.head(recorder, { ...vectors, inputRow: 2, matrix, logits, epsilon: EPSILON });
    recorder.submit();
    const normed = rmsNorm(input.slice(2 * depth), normWeight, EPSILON);
    const expected = matmul(normed, values, new Float32Array(rows));
    expect(maxError(await scratch.readFloats(logits), expected)).toBeLessThan(TOLERANCE);
    recorder.destroy();
  });
});

it.each([
  ["subgroup", "f16", 1024],
  ["subgroup", "bf16", 1048],
  ["subgroup", "q8g32", 1056],
  ["workgroup", "f16", 520],
] as const)(
  "%s reduction, %s weights of one size: %i columns",
  async (reduction, dtype, columns) => {
    const rows = 21;
    const { matrix, values } = randomMatrix(scratch, { dtype, rows, columns }, 1);
    const [input, normWeight] = [randomFloats(columns, 2), randomFloats(columns, 3)];
    const bias = randomFloats(rows, 4);
    const [output, logits] = [scratch.empty(rows), scratch.empty(rows)];
    const sizes = { down: { rows, columns }, head: { rows, columns } };
    const kernels = await createDecodeKernels(gpu, { reduction, dtype, kvType: "f16", sizes });
    const recorder = gpu.recorder("test");
    const uploaded = scratch.upload(input);
    kernels.project(recorder, { input: uploaded, bias: scratch.upload(bias), output, matrix });
    const normed = { input: uploaded, inputRow: 0, normWeight: scratch.upload(normWeight) };
    kernels.head(recorder, { ...normed, matrix, logits, epsilon: EPSILON });
    recorder.submit();
    const unit = rmsNorm(input, normWeight, EPSILON);
    expect(maxError(await scratch.readFloats(output), matmul(input, values, bias))).toBeLessThan(
      LONG_TOLERANCE,
    );
    const expected = matmul(unit, values, new Float32Array(rows));
    expect(maxError(await scratch.readFloats(logits), expected)).toBeLessThan(LONG_TOLERANCE);
    recorder.destroy();
  },
);

it.each([
  ["workgroup", "q8g32", false],
  ["subgroup", "bf16", true],
] as const)(
  "%s reduction, %s weights: a row for attention to append, normed: %s",
  async (...test) => {
    const [reduction, dtype, isNormed] = test;
    const shape = { heads: 5, kvHeads: 2, headDim: 20 };
    const [all, normedHeads, columns] = [9, 7, 96];
    const rows = all * shape.headDim;
    const { matrix, values } = randomMatrix(scratch, { dtype, rows, columns, partRows: 60 }, 1);
    const [input, normWeight] = [randomFloats(columns, 2), randomFloats(columns, 3)];
    const bias = randomFloats(rows, 4);
    const angles = randomAngles(1, shape.headDim);
    const headNorm = randomFloats(2 * shape.headDim, 5);
    const qkv = scratch.empty(2 * rows);
    const kernels = await createDecodeKernels(gpu, {
      ...{ reduction, dtype, kvType: "q8", sizes: { qkv: { rows, columns } } },
      newRow: isNormed ? { normEpsilon: EPSILON } : {},
    });
    const recorder = gpu.recorder("test");
    kernels.qkvRow(recorder, {
      shape,
      input: scratch.upload(input),
      normWeightAndBias: scratch.upload(Float32Array.of(...normWeight, ...bias)),
      biasFirst: columns,
      matrix,
      angles: scratch.upload(angles),
      qkv,
      ...(isNormed && { norm: { weights: scratch.upload(headNorm), epsilon: EPSILON } }),
      epsilon: EPSILON,
    });
    recorder.submit();
    const product = matmul(rmsNorm(input, normWeight, EPSILON), values, bias);
    const headOf = (at: number) => Math.floor(at / shape.headDim);
    const weighted = product.map((value, at) => {
      const isKey = headOf(at) >= shape.heads;
      const weight = headNorm[(isKey ? shape.headDim : 0) + (at % shape.headDim)] as number;
      return isNormed ? value * weight : value;
    });
    const rotated = rotate(weighted, angles, all, shape.headDim);
    const row = product.map((value, at) =>
      headOf(at) < normedHeads ? (rotated[at] as number) : value,
    );
    const written = await scratch.readFloats(qkv);
    expect(maxError(written.slice(0, rows), row)).toBeLessThan(TOLERANCE);
    for (let head = 0; head < normedHeads; head++) {
      // Five units of four elements each, and room for eight.
      const sums = written.slice(rows + 8 * head, rows + 8 * head + 5);
      const own = product.slice(head * shape.headDim, (head + 1) * shape.headDim);
      const squares = own.reduce((sum, value) => sum + value * value, 0);
      const total = sums.reduce((sum, value) => sum + value, 0);
      expect(Math.abs(total - (isNormed ? squares : 0))).toBeLessThan(LONG_TOLERANCE);
    }
    recorder.destroy();
  },
);
