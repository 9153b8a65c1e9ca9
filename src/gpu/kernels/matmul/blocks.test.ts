import { expect, it } from "vitest";
import { collectKernels } from "../../../../test/kernelSpecs";
import { createMatmul } from "./matmul";

const blocksFor = async (sizes: object) => {
  const { gpu, specs } = collectKernels();
  await createMatmul(gpu, { variant: "tiled", dtype: "f16", store: "bias", ...sizes });
  return specs.length;
};

it("compiles blocks only for the sizes that a product has", async () => {
  const size = (rows: number, columns: number) => ({ rows, columns });
  expect(await blocksFor({})).toBe(3);
  // SigLIP of LLaVA-OneVision: one or two tiles of 729 rows.
  const few = [size(729, 1152), size(1458, 1152)];
  expect(await blocksFor({ onlySizes: few })).toBe(2);
  expect(await blocksFor({ onlySizes: [size(729, 3456), size(1458, 3456)] })).toBe(1);
  // Too few rows for any but the smallest; narrow blocks hold no more.
  expect(await blocksFor({ onlySizes: [size(2, 64)] })).toBe(1);
  expect(await blocksFor({ sizes: few })).toBe(5);
});
