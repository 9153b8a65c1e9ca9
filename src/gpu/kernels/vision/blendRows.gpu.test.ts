import { expect, it } from "vitest";
import { createTestScratch, maxError, randomFloats } from "../../../../test/kernels";
import { createBlendRows } from "./blendRows";

const { gpu, scratch } = await createTestScratch();

it.each([1, 4])("sums %i weighted rows", async (parts) => {
  const [rows, inputRows, width] = [13, 9, 20];
  const input = randomFloats(inputRows * width, 1);
  const weights = randomFloats(rows * parts, 2);
  const indices = Uint32Array.from({ length: rows * parts }, (_, i) => (i * 7 + 3) % inputRows);
  const output = scratch.empty(rows * width);
  const blend = await createBlendRows(gpu);
  const recorder = gpu.recorder("test");
  const buffers = { input: scratch.upload(input), weights: scratch.upload(weights), output };
  blend(recorder, { ...buffers, indices: scratch.upload(indices), rows, parts, width });
  recorder.submit();
  const expected = Float32Array.from({ length: rows * width }, (_, at) => {
    const [row, column] = [Math.floor(at / width), at % width];
    let sum = 0;
    for (let part = row * parts; part < (row + 1) * parts; part++) {
      sum += weights[part]! * input[indices[part]! * width + column]!;
    }
    return sum;
  });
  expect(maxError(await scratch.readFloats(output), expected)).toBeLessThan(1e-6);
  recorder.destroy();
});
