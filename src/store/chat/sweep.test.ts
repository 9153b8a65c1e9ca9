import { expect, test } from "vitest";
import { smallestSame } from "./sweep";

const steps = (same: readonly boolean[]) =>
  same.map((isSame, index) => ({ percent: 50 - 10 * index, answer: "", isSame, kvBytes: 0 }));

test.each([
  [[true, true, true], 30],
  [[true, false, true], 50],
  [[false, true, true], 100],
  [[], 100],
])("of %j the smallest share with all larger ones the same is %d", (same, percent) => {
  expect(smallestSame(steps(same))).toBe(percent);
});
