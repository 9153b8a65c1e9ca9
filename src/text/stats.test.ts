import { expect, test } from "vitest";
import { median, quantile } from "./stats";

test("median and quantiles interpolate and do not reorder their input", () => {
  const values = [4, 1, 3, 2];
  expect(median(values)).toBe(2.5);
  expect(quantile(values, 0.95)).toBeCloseTo(3.85, 12);
  expect(values).toEqual([4, 1, 3, 2]);
});

test("of nothing there is no median", () => {
  expect(median([])).toBeNaN();
});
