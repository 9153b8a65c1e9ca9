import { afterAll, expect, it } from "vitest";
import { createTestGpu } from "../../test/dawn";
import { measureRate } from "./adapterRate";

const gpu = await createTestGpu();
afterAll(() => gpu.device.destroy());

it("measures plausible rates and frees its buffers", async () => {
  const free = { ...gpu.memory.bytes };
  const { bytesPerSecond, flopsPerSecond } = await measureRate(gpu, { isFallback: true });
  // A processor from 10 MB/s to 1 TB/s, and from 10 MFLOP/s to 10 TFLOP/s.
  expect(bytesPerSecond).toBeGreaterThan(1e7);
  expect(bytesPerSecond).toBeLessThan(1e12);
  expect(flopsPerSecond).toBeGreaterThan(1e7);
  expect(flopsPerSecond).toBeLessThan(1e13);
  expect(gpu.memory.bytes).toEqual(free);
});
