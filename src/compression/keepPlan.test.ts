import { describe, expect, it } from "vitest";
import { absorbedInto, checkPlan, keptRows, PlanError } from "./keepPlan";
import type { LayerPlan } from "./types";

/** Two layers of two heads; the second head of layer 1 holds fewer rows. */
const SHAPE = {
  layers: 2,
  kvHeads: 2,
  rows: (layer: number, head: number) => (layer === 1 && head === 1 ? 4 : 6),
};
const FINE: LayerPlan = { keep: [Uint32Array.of(0, 2, 3)] };
const SPLIT: LayerPlan = { keep: [Uint32Array.of(0, 5), Uint32Array.of(1, 3)] };

function assign(keep: readonly Uint32Array[], ...into: readonly Int32Array[]): LayerPlan {
  return { keep, merge: { kind: "assign", rule: "mean", into } };
}

function problemOf(first: LayerPlan, second: LayerPlan = FINE): string {
  try {
    checkPlan({ layers: [first, second] }, SHAPE);
    return "none";
  } catch (error) {
    expect(error).toBeInstanceOf(PlanError);
    return (error as PlanError).message;
  }
}

describe("checkPlan", () => {
  it("accepts one list for all heads, one per head, and an empty one", () => {
    expect(problemOf(FINE, SPLIT)).toBe("none");
    expect(problemOf({ keep: [new Uint32Array()] })).toBe("none");
  });

  it("wants a layer plan per layer, and a list per head or one", () => {
    expect(() => checkPlan({ layers: [FINE] }, SHAPE)).toThrow(
      "the plan has 1 layers, the model 2",
    );
    const [list] = FINE.keep as [Uint32Array];
    expect(problemOf({ keep: [list, list, list] })).toBe("layer 0: 3 lists for 2 heads");
    expect(problemOf({ keep: [] })).toBe("layer 0: 0 lists for 2 heads");
  });

  it("wants strictly ascending rows of the span of that head", () => {
    expect(problemOf({ keep: [Uint32Array.of(3, 3)] })).toContain("entry 1 of the kept rows is 3");
    expect(problemOf({ keep: [Uint32Array.of(3, 2)] })).toContain("entry 1 of the kept rows is 2");
    expect(problemOf({ keep: [Uint32Array.of(0, 6)] })).toContain("is 6 of 6");
    // Within the first head's span, and beyond the second head's.
    expect(problemOf(FINE, { keep: [Uint32Array.of(4)] })).toContain("is 4 of 4");
  });

  it("lets kept rows absorb any row, themselves and each other", () => {
    expect(problemOf(assign(FINE.keep, Int32Array.of(-1, 0, 2, 0, 3, -1)))).toBe("none");
  });

  it("wants an assignment for every row, into kept rows, and lists as for kept rows", () => {
    expect(problemOf(assign(FINE.keep, Int32Array.of(-1, 0)))).toBe(
      "layer 0: 2 of 6 rows are assigned",
    );
    expect(problemOf(assign(FINE.keep, Int32Array.of(-1, 4, -1, -1, -1, -1)))).toBe(
      "layer 0: row 1 is merged into row 4, which is not kept",
    );
    // Kept by the other head only.
    const into = Int32Array.of(-1, -1, 1, -1, -1, -1);
    expect(problemOf(assign(SPLIT.keep, into))).toContain("row 2 is merged into row 1");
    expect(problemOf(assign(SPLIT.keep, into, into, into))).toBe("layer 0: 3 lists for 2 heads");
  });
});

it("a single list belongs to every head", () => {
  expect([...keptRows(FINE, 1)]).toEqual([0, 2, 3]);
  expect([...keptRows(SPLIT, 1)]).toEqual([1, 3]);
  const [first, second] = [Int32Array.of(0), Int32Array.of(1)];
  expect(absorbedInto({ kind: "assign", rule: "mean", into: [first] }, 1)).toBe(first);
  expect(absorbedInto({ kind: "assign", rule: "mean", into: [first, second] }, 1)).toBe(second);
});
