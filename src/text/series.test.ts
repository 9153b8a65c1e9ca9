import { describe, expect, test } from "vitest";
import { createSeries } from "./series";

const lists = (series: ReturnType<typeof createSeries>) =>
  series.view().map((column) => Array.from(column));

describe("series", () => {
  test("hands out its samples in order before the ring is full", () => {
    const series = createSeries(2, 4);
    series.push([1, 10]);
    series.push([2, 20]);
    expect(lists(series)).toEqual([
      [1, 2],
      [10, 20],
    ]);
  });

  test("keeps the newest samples contiguous at every point of the ring", () => {
    const series = createSeries(1, 5);
    for (let sample = 1; sample <= 23; sample++) {
      series.push([sample]);
      const held = Math.min(sample, 5);
      const expected = Array.from({ length: held }, (_, index) => sample - held + 1 + index);
      expect(lists(series)).toEqual([expected]);
      expect(series.length).toBe(held);
    }
  });

  test("is empty after clear, and its version never repeats", () => {
    const series = createSeries(1, 2);
    const versions = [series.version];
    series.push([1]);
    versions.push(series.version);
    series.clear();
    versions.push(series.version);
    series.push([2]);
    versions.push(series.version);
    expect(new Set(versions).size).toBe(4);
    expect(lists(series)).toEqual([[2]]);
  });

  test("refuses a sample of the wrong width", () => {
    expect(() => createSeries(2, 2).push([1])).toThrow(RangeError);
    expect(() => createSeries(0, 2)).toThrow(RangeError);
  });
});
