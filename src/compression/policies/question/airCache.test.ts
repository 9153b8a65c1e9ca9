import { describe, expect, it } from "vitest";
import { range, rowsPerLayer } from "../../blocks/select";
import { planFor } from "../../plan";
import { handMade, keptLists, recordedRows } from "../../reference/promptFixture";
import type { Taps } from "../../taps/registry";
import { airCache } from "./airCache";
import { airCacheBudget } from "./airCacheBudget";

/** Rows 2 to 9 are an image; layer 0 is strong and flat, layer 1 weak and skewed. */
function taps(): Taps {
  const flat = [0, 0, 0.11, 0.12, 0.13, 0.12, 0.11, 0.12, 0.13, 0.12, 0, 0];
  const skewed = [0, 0, 0.01, 0.01, 0.2, 0.01, 0.01, 0.01, 0.01, 0.01, 0, 0];
  const importance = recordedRows([[flat], [skewed]]);
  return { elite: { importance, rows: [[Uint32Array.of(11)], [Uint32Array.of(11)]] } };
}

const image = { visual: [{ start: 2, end: 10 }], textStart: 10 };
const input = handMade(taps(), {
  rows: 12,
  layers: 2,
  budget: 8,
  candidates: range(2, 10),
  ...image,
});
const rowsFor = (options: Record<string, string>) =>
  rowsPerLayer(input, planFor(airCache, input, options));

describe("AirCache", () => {
  it("splits the budget by strength, skewness, or both", () => {
    expect(rowsFor({ budget: "strength" })[0]).toBeGreaterThan(4);
    expect(rowsFor({ budget: "skewness" })[0]).toBeLessThan(4);
    expect(rowsFor({ budget: "uniform" })).toEqual([4, 4]);
    expect(rowsFor({ budget: "pyramid" })).toEqual([7, 1]);
    const [strength] = rowsFor({ budget: "strength" });
    const [skewness] = rowsFor({ budget: "skewness" });
    const [both] = rowsFor({});
    expect(both).toBeGreaterThan(skewness!);
    expect(both).toBeLessThan(strength!);
  });

  it("counts negative skewness as none", () => {
    const left = [0, 0, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.01, 0, 0];
    const right = [0, 0, 0.01, 0.01, 0.2, 0.01, 0.01, 0.01, 0.01, 0.01, 0, 0];
    const importance = recordedRows([[left], [right]]);
    const rows = [[Uint32Array.of(11)], [Uint32Array.of(11)]];
    const { skew, skewNorm } = airCacheBudget(
      { ...input, taps: { elite: { importance, rows } } },
      "skewness",
    );
    expect(skew[0]).toBeLessThan(-2);
    expect(skewNorm).toEqual([0, 2]);
  });

  it("keeps the rows with most votes and all text", () => {
    const uniform = keptLists(planFor(airCache, input, { budget: "uniform" }));
    expect(uniform[0]).toEqual([[0, 1, 3, 4, 5, 8, 10, 11]]);
    expect(uniform[1]![0]).toContain(4);
  });

  it("keeps the question in scope prompt and scores all rows before it", () => {
    const whole = handMade(taps(), { rows: 12, layers: 2, budget: 8, ...image });
    for (const [rows] of keptLists(planFor(airCache, whole))) {
      expect(rows).toContain(10);
      expect(rows).toContain(11);
    }
  });
});
