import { describe, expect, it } from "vitest";
import { sumOf } from "./budget";
import { prefixBudget, releasedPrefixSearch } from "./prefixBudget";
import { createRandom } from "./randomness";

describe("PrefixKV's budgets", () => {
  const draw = createRandom(11);
  const scores = Array.from({ length: 5 }, (_, layer) =>
    Float64Array.from({ length: 40 }, () => draw() ** (layer + 1)),
  );
  const shares = (layer: number) => {
    const sorted = scores[layer]!.toSorted().reverse();
    const mass = sumOf([...sorted]);
    let prefix = 0;
    return Array.from(sorted, (score) => {
      prefix += score / mass;
      return prefix;
    });
  };

  it("leave no layer a share that another would take for less", () => {
    const budgets = prefixBudget(scores, 90, 2);
    expect(sumOf(budgets)).toBe(90);
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
