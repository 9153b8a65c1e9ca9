import { describe, expect, it } from "vitest";
import { pairedDifference } from "./pairedDifference";

describe("pairedDifference", () => {
  it("is as wide as the closed form where the lanes never differ", () => {
    const { difference, low, high } = pairedDifference(0, 0, 300);
    const z2 = 1.959963984540054 ** 2;
    expect(difference).toBe(0);
    expect(high).toBeCloseTo(z2 / (300 + z2), 9);
    expect(low).toBeCloseTo(-z2 / (300 + z2), 9);
  });

  it("is Wald's interval for many questions", () => {
    // Agresti, Categorical Data Analysis: 86 and 150 of 1 600, -4 points, -5.9 to -2.1.
    const { difference, low, high } = pairedDifference(86, 150, 1600);
    expect(difference).toBeCloseTo(-0.04, 12);
    expect(low).toBeCloseTo(-0.0587, 3);
    expect(high).toBeCloseTo(-0.0213, 3);
  });

  it.each([
    [3, 11, 200],
    [0, 7, 200],
    [40, 0, 60],
    [1, 1, 2],
  ])("turns round with the lanes: %d against %d of %d", (gained, lost, questions) => {
    const one = pairedDifference(gained, lost, questions);
    const other = pairedDifference(lost, gained, questions);
    expect(one.low).toBeCloseTo(-other.high, 9);
    expect(one.high).toBeCloseTo(-other.low, 9);
    expect(one.low).toBeLessThan(one.difference);
    expect(one.high).toBeGreaterThan(one.difference);
  });

  it("stays within the possible where one lane alone is always right", () => {
    const { difference, low, high } = pairedDifference(20, 0, 20);
    expect(difference).toBe(1);
    expect(low).toBeGreaterThan(0.6);
    expect(high).toBeCloseTo(1, 6);
  });

  it("covers the true difference about 95 times in a hundred", () => {
    let seed = 1;
    const random = () => {
      seed = (Math.imul(seed, 48271) >>> 0) % 2147483647;
      return seed / 2147483647;
    };
    const [gains, losses, trials] = [0.03, 0.08, 2000];
    let covered = 0;
    for (let trial = 0; trial < trials; trial++) {
      let [gained, lost] = [0, 0];
      for (let question = 0; question < 200; question++) {
        const drawn = random();
        if (drawn < gains) gained++;
        else if (drawn < gains + losses) lost++;
      }
      const { low, high } = pairedDifference(gained, lost, 200);
      if (low <= gains - losses && gains - losses <= high) covered++;
    }
    expect(covered / trials).toBeGreaterThan(0.935);
    expect(covered / trials).toBeLessThan(0.965);
  });

  it("refuses counts that cannot be", () => {
    expect(() => pairedDifference(3, 8, 10)).toThrow(/3 gained and 8 lost of 10/);
    expect(() => pairedDifference(0, 0, 0)).toThrow(RangeError);
  });
});
