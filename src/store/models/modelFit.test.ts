import { expect, it } from "vitest";
import { answerSeconds, gpuBytes, largestBytes, memoryFit, storageFit } from "./modelFit";

const rate = { bytesPerSecond: 10e9, flopsPerSecond: 1e12, isFallback: false };

it("estimates an answer from measured rates, and which weights take a minute", () => {
  // 1 GB of f16 weights: 0.5e9 parameters, 1e9 operations per prompt token.
  expect(answerSeconds(1e9, rate)).toBeCloseTo(1000 * (1e9 / 1e12) + (50 * 1e9) / 10e9);
  expect(answerSeconds(1e9, rate, 200)).toBeCloseTo(0.2 + 5);
  expect(answerSeconds(largestBytes(rate), rate)).toBeCloseTo(60);
  const slow = { ...rate, flopsPerSecond: 1e10 };
  expect(largestBytes(slow)).toBeLessThan(largestBytes(rate) / 10);
});

it("compares a download with what the storage still takes", () => {
  const place = { rate, freeBytes: 100, deviceBytes: 8e9 };
  expect(storageFit(100, place)).toBe("fits");
  expect(storageFit(101, place)).toBe("tooLarge");
  expect(storageFit(1, { ...place, freeBytes: undefined })).toBe("unknown");
});

it("compares weights with the memory of a software adapter alone", () => {
  const place = { rate: { ...rate, isFallback: true }, freeBytes: 1, deviceBytes: 8e9 };
  expect(memoryFit(6e9, place)).toBe("fits");
  expect(memoryFit(7.5e9, place)).toBe("tooLarge");
  expect(memoryFit(6e9, { ...place, rate })).toBe("unknown");
});

it("counts weights as the engine can hold them", () => {
  expect(gpuBytes(1e8, { f16: 0, q8: 4e7, q4: 6e7 })).toEqual({
    ...{ file: 1e8, q8: 6e7, q4: 4e7 },
  });
  expect(gpuBytes(1e8, { f16: 5e7, q8: 6e7, q4: 7e7 }).file).toBe(5e7);
  expect(gpuBytes(1e8, undefined)).toEqual({ file: 1e8 });
  expect(answerSeconds(1e9, rate, 200, 5e8)).toBeCloseTo(0.2 + 2.5);
});
