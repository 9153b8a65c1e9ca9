import { describe, expect, it } from "vitest";
import {
  evictedShare,
  largestRemainder,
  prefixBudget,
  pyramidShares,
  releasedPrefixSearch,
  roundHalfEven,
  rowBudget,
  uniformBudget,
  waterfill,
} from "./budget";
import { createRandom } from "./randomness";

const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);

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
      expect(sum(rows)).toBe(total);
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

describe("PrefixKV's budgets", () => {
  const draw = createRandom(11);
  const scores = Array.from({ length: 5 }, (_, layer) =>
    Float64Array.from({ length: 40 }, () => draw() ** (layer + 1)),
  );
  const shares = (layer: number) => {
    const sorted = scores[layer]!.toSorted().reverse();
    const mass = sum([...sorted]);
    let prefix = 0;
    return Array.from(sorted, (score) => {
      prefix += score / mass;
      return prefix;
    });
  };

  it("leave no layer a share that another would take for less", () => {
    const budgets = prefixBudget(scores, 90, 2);
    expect(sum(budgets)).toBe(90);
    const next = Math.min(...budgets.map((count, layer) => shares(layer)[count] ?? 2));
    budgets.forEach((count, layer) => {
      if (count > 2) expect(shares(layer)[count - 1]!).toBeLessThanOrEqual(next);
    });
  });

  it("match the released bisection up to its tolerance", () => {
    const { forget } = releasedPrefixSearch(scores, 110, 2);
    const exact = prefixBudget(scores, 90, 1);
    exact.forEach((count, layer) => {
      expect(Math.abs(40 - forget[layer]! - count)).toBeLessThanOrEqual(4);
    });
  });

  it("stop the bisection less than five rows from the target", () => {
    const one = [Float64Array.from({ length: 100 }, () => 1)];
    // Half of the mass leaves 100 - 50 - 2 rows to forget.
    expect(releasedPrefixSearch(one, 52.9, 2)).toMatchObject({ iterations: 1, counts: [48] });
    expect(releasedPrefixSearch(one, 53, 2).iterations).toBeGreaterThan(1);
  });

  it("end after 60 halvings where the target cannot be met", () => {
    const same = Array.from({ length: 20 }, () => new Float64Array(10).fill(1));
    expect(releasedPrefixSearch(same, 70, 1).iterations).toBe(60);
  });
});

describe("pyramid", () => {
  it("falls linearly and keeps its mean, also when its top is cut", () => {
    for (const cap of [1000, 25]) {
      const shares = pyramidShares(6, 20, 20, cap);
      expect(sum(shares) / 6).toBeCloseTo(20, 9);
      expect(Math.max(...shares)).toBeLessThanOrEqual(Math.max(cap, 39));
      expect(shares.every((share, i) => i === 0 || share < shares[i - 1]!)).toBe(true);
    }
    expect(pyramidShares(6, 20, 20, 25)[0]).toBe(25);
  });
});
