import { afterAll, expect, it, vi } from "vitest";
import { OutOfMemoryError } from "@/gpu/memory";
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

it("frees its matrix if there is no memory for the product", async () => {
  const free = { ...gpu.memory.bytes };
  gpu.memory.limit = 2 * 2048 * 2048;
  await expect(measureRate(gpu, { isFallback: true })).rejects.toThrow(OutOfMemoryError);
  expect(gpu.memory.bytes).toEqual(free);
});

it("measures nothing if the driver refuses the matrix, and leaves the refusal to no other", async () => {
  const free = { ...gpu.memory.bytes };
  gpu.memory.limit = Number.POSITIVE_INFINITY;
  const refused = { message: "no memory" };
  vi.spyOn(gpu.device, "popErrorScope").mockResolvedValueOnce(refused);
  await expect(measureRate(gpu, { isFallback: true })).rejects.toThrow(OutOfMemoryError);
  expect(() => gpu.memory.check()).not.toThrow();
  expect(gpu.memory.bytes).toEqual(free);
});
