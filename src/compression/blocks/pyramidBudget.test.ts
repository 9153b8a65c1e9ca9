import { expect, it } from "vitest";
import { sumOf } from "./budget";
import { pyramidShares } from "./pyramidBudget";

it("a pyramid falls linearly and keeps its mean, also when its top is cut", () => {
  for (const cap of [1000, 25]) {
    const shares = pyramidShares(6, 20, 20, cap);
    expect(sumOf(shares) / 6).toBeCloseTo(20, 9);
    expect(Math.max(...shares)).toBeLessThanOrEqual(Math.max(cap, 39));
    expect(shares.every((share, i) => i === 0 || share < shares[i - 1]!)).toBe(true);
  }
  expect(pyramidShares(6, 20, 20, 25)[0]).toBe(25);
});
