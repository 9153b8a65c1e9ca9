import { describe, expect, it } from "vitest";
import { PlanError } from "@/compression/keepPlan";
import type { KeepPlan } from "@/compression/types";
import type { KvCache } from "./cache";
import { absorbedRows, checkPlanFor, keepsAll, ListBuilder, plannedPositions } from "./planLists";

/** [layer][head] original positions: two rows of an earlier turn, then the span. */
const POSITIONS = [
  [
    [0, 3, 10, 11, 12, 13],
    [1, 2, 10, 11, 12, 13],
  ],
  [[0, 1, 10, 11, 12, 13]],
];
const START = [
  [2, 2],
  [2, 2],
];

const cache = {
  shape: { layers: 2, kvHeads: 2 },
  rows: () => 6,
  positions: (layer: number, head: number) => POSITIONS[layer]?.[layer === 0 ? head : 0],
  hasHeadLists: (layer: number) => layer === 0,
} as unknown as KvCache;

const SHARED = [Uint32Array.of(0, 3)];
const PER_HEAD = [Uint32Array.of(0, 1), Uint32Array.of(1, 2, 3)];
const ALL = [Uint32Array.of(0, 1, 2, 3)];

function plan(...keeps: readonly (readonly Uint32Array[])[]): KeepPlan {
  return { layers: keeps.map((keep) => ({ keep })) };
}

describe("a plan on a cache", () => {
  it("counts rows from the start of the span", () => {
    expect(() => checkPlanFor(cache, plan(SHARED, PER_HEAD), START)).not.toThrow();
    const beyond = plan(SHARED, [Uint32Array.of(4)]);
    expect(() => checkPlanFor(cache, beyond, START)).toThrow(PlanError);
    expect(() =>
      checkPlanFor(cache, beyond, [
        [0, 0],
        [0, 0],
      ]),
    ).not.toThrow();
  });

  it("keeps everything only with every row of every head, and no merge", () => {
    expect(keepsAll(cache, plan(ALL, SHARED), START, 0)).toBe(true);
    expect(keepsAll(cache, plan(ALL, SHARED), START, 1)).toBe(false);
    expect(keepsAll(cache, plan([ALL[0]!, SHARED[0]!], ALL), START, 0)).toBe(false);
    const merge = { kind: "nearestKey", rule: "mean" } as const;
    expect(keepsAll(cache, { layers: [{ keep: ALL, merge }] }, START, 0)).toBe(false);
  });

  it("leaves the positions of earlier rows and of kept rows", () => {
    expect(plannedPositions(cache, plan(SHARED, SHARED), START, 0)).toEqual([
      [0, 3, 10, 13],
      [1, 2, 10, 13],
    ]);
    // One list serves all heads until heads keep different rows.
    expect(plannedPositions(cache, plan(SHARED, SHARED), START, 1)).toEqual([[0, 1, 10, 13]]);
    expect(plannedPositions(cache, plan(SHARED, PER_HEAD), START, 1)).toEqual([
      [0, 1, 10, 11],
      [0, 1, 11, 12, 13],
    ]);
  });
});

describe("absorbedRows", () => {
  const kept = Uint32Array.of(1, 4);

  it("begins every group with the kept row itself", () => {
    const { starts, rows } = absorbedRows(kept, Int32Array.of(4, -1, 1, 4, -1, 1));
    expect([...starts]).toEqual([0, 3, 6]);
    expect([...rows]).toEqual([1, 2, 5, 4, 0, 3]);
  });

  it("counts a row that is merged into itself twice, and a kept row in both groups", () => {
    const { starts, rows } = absorbedRows(kept, Int32Array.of(-1, 1, -1, -1, 1, -1));
    expect([...starts]).toEqual([0, 3, 4]);
    expect([...rows]).toEqual([1, 1, 4, 4]);
  });

  it("is the kept rows alone if none is merged", () => {
    const { starts, rows } = absorbedRows(kept, new Int32Array(6).fill(-1));
    expect([...starts]).toEqual([0, 1, 2]);
    expect([...rows]).toEqual([1, 4]);
  });
});

it("ListBuilder puts a header per (layer, head) before the lists that it points to", () => {
  const builder = new ListBuilder({ layers: 2, kvHeads: 1 });
  const first = builder.add([7, 8]);
  const second = builder.add(Uint32Array.of(9));
  builder.header(1, 0, [second, 1, 2, 3]);
  builder.header(0, 0, [first, 2, 0, 0]);
  expect(builder.words).toBe(11);
  expect([...builder.build()]).toEqual([8, 2, 0, 0, 10, 1, 2, 3, 7, 8, 9]);
});
