import { describe, expect, it } from "vitest";
import { foldRows, nearest } from "./merge";
import { createRandom } from "./randomness";
import { averagePool, maxPool, minMax, skewness } from "./score";
import { keepTop, ranked, topPlaces } from "./select";

describe("selection", () => {
  it("breaks ties towards the lower place and returns ascending places", () => {
    expect([...topPlaces(Float64Array.of(1, 3, 3, 2, 3), 2)]).toEqual([1, 2]);
    expect([...topPlaces(Float64Array.of(1, 2), 0)]).toEqual([]);
    expect([...topPlaces(Float64Array.of(1, 2), 5)]).toEqual([0, 1]);
    expect([...topPlaces(Float64Array.of(0, -0, 0, -0, -1), 3)]).toEqual([0, 1, 2]);
  });

  it.each([1, 2, 7, 1e9])("chooses as a sort does, of %d different scores", (values) => {
    const draw = createRandom(values);
    for (const length of [1, 2, 3, 10, 257]) {
      const scores = Float64Array.from({ length }, () => Math.floor(draw() * values));
      for (const ordered of [scores, scores.toSorted(), scores.toSorted().reverse()]) {
        for (let count = 0; count <= length; count += Math.ceil(length / 10)) {
          const best = ranked(ordered).subarray(0, count).sort();
          expect(topPlaces(ordered, count)).toEqual(best);
        }
      }
    }
  });

  it("keeps protected places whatever their score", () => {
    const scores = Float64Array.of(0, 5, 9, 1, 7, 0);
    expect([...keepTop(scores, 4, { first: 1, last: 1 }).places]).toEqual([0, 2, 4, 5]);
  });

  it("lets sinks, then the newest, claim a count that is too small", () => {
    const scores = new Float64Array(8);
    expect([...keepTop(scores, 3, { first: 2, last: 4 }).places]).toEqual([0, 1, 7]);
    expect([...keepTop(scores, 1, { first: 2, last: 4 }).places]).toEqual([0]);
    expect([...keepTop(scores, 8, { first: 20, last: 20 }).places]).toHaveLength(8);
  });
});

describe("scores", () => {
  it("pools like avg_pool1d: zeros outside, divisor the kernel", () => {
    expect([...averagePool(Float64Array.of(3, 3, 3, 6), 3)]).toEqual([2, 3, 4, 3]);
    expect([...maxPool(Float64Array.of(-3, -1, -2, -6), 3)]).toEqual([-1, -1, -1, -2]);
  });

  it("measures skewness as scipy does without bias", () => {
    expect(skewness(Float64Array.of(1, 2, 3, 10))).toBeCloseTo(1.763633, 5);
    expect(skewness(Float64Array.of(2, 2, 2))).toBe(0);
  });

  it("scales equal values to zero", () => {
    expect([...minMax(Float64Array.of(4, 4))]).toEqual([0, 0]);
  });
});

describe("merging", () => {
  it("finds the nearest anchor, ties to the lower", () => {
    expect([3, 5, 6, 9].map((place) => nearest([2, 6, 8], place))).toEqual([2, 6, 6, 8]);
    expect(nearest([2, 6], 4)).toBe(2);
  });

  it("averages a dropped row with its pivot first, or takes it raw", () => {
    const layer = (rule: "mean" | "pivot") => ({
      keep: [Uint32Array.of(0, 3)],
      merge: { kind: "nearestKey", rule } as const,
    });
    const keys = Float32Array.of(1, 0, 0.9, 0.1, 0.1, 0.9, 0, 1);
    const values = Float32Array.of(4, 0, 8, 0, 0, 2, 0, 6);
    expect([...foldRows(layer("mean"), 0, { values, keys, dim: 2 })]).toEqual([6, 0, 0, 4]);
    expect([...foldRows(layer("pivot"), 0, { values, keys, dim: 2 })]).toEqual([5, 0, 0, 5]);
  });

  it("counts a row that absorbs itself twice", () => {
    const layer = {
      keep: [Uint32Array.of(0, 1)],
      merge: { kind: "assign", rule: "mean", into: [Int32Array.of(1, 1, -1)] } as const,
    };
    const values = Float32Array.of(3, 6, 9);
    expect([...foldRows(layer, 0, { values, keys: values, dim: 1 })]).toEqual([3, 5]);
  });
});
