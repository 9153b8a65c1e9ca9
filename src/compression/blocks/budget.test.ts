import { describe, expect, it } from "vitest";
import {
  evictedShare,
  largestRemainder,
  roundHalfEven,
  rowBudget,
  sumOf,
  uniformBudget,
  waterfill,
} from "./budget";
import { createRandom } from "./randomness";

describe("rounding", () => {
  it("rounds halves to even", () => {
    expect([0.5, 1.5, 2.5, 2.4, 2.6].map(roundHalfEven)).toEqual([0, 2, 2, 2, 3]);
  });

  it("keeps a row per layer and never more than there are", () => {
    expect(rowBudget(0.01, 10, 8)).toBe(8);
    expect(rowBudget(0.25, 10, 3)).toBe(8);
    expect(rowBudget(1, 10, 3)).toBe(30);
    expect(rowBudget(0.5, 0, 3)).toBe(0);
  });

  it("gives back the ratio that a release was called with", () => {
    for (const ratio of [0.1, 0.2, 0.3, 0.55, 0.7, 0.9])
      expect(evictedShare(1 - ratio)).toBe(ratio);
  });
});

describe("waterfill", () => {
  it("is exact and within bounds for any weights", () => {
    const draw = createRandom(5);
    for (let trial = 0; trial < 500; trial++) {
      const layers = 1 + Math.floor(draw() * 12);
      const cap = 1 + Math.floor(draw() * 30);
      const weights = Array.from({ length: layers }, () => (draw() < 0.2 ? 0 : draw() ** 6));
      const total = layers + Math.floor(draw() * (layers * (cap - 1) + 1));
      const rows = waterfill(weights, total, { floor: 1, cap });
      expect(sumOf(rows)).toBe(total);
      expect(rows.every((count) => count >= 1 && count <= cap)).toBe(true);
    }
  });

  it("hands on what a full layer cannot take", () => {
    expect(waterfill([8, 1, 1], 20, { floor: 1, cap: 10 })).toEqual([10, 5, 5]);
  });

  it("gives leftover rows to the largest fractions, ties to lower layers", () => {
    expect(largestRemainder([1.2, 1.7, 1.1], 4)).toEqual([1, 2, 1]);
    expect(largestRemainder([1.5, 1.5], 3)).toEqual([2, 1]);
    expect(uniformBudget(7, 3)).toEqual([3, 2, 2]);
  });
});
