import { expect, it } from "vitest";
import { sortingCycles } from "./slotOrder";

/** Carries the cycles out as the kernel does. */
function sorted(positions: readonly number[]): readonly number[] {
  const rows = [...positions];
  for (const cycle of sortingCycles(positions)) {
    const first = rows[cycle[0]!]!;
    for (const [i, slot] of cycle.entries()) {
      const next = cycle[i + 1];
      rows[slot] = next === undefined ? first : rows[next]!;
    }
  }
  return rows;
}

it.each([[[]], [[4]], [[1, 2, 3]], [[2, 1]], [[5, 1, 4, 2, 3]], [[9, 3, 7, 1, 5, 0, 8]]])(
  "sorts %j in place",
  (positions) => {
    expect(sorted(positions)).toEqual(positions.toSorted((a, b) => a - b));
  },
);

it("moves no row that is in place", () => {
  expect(sortingCycles([0, 9, 5, 7])).toEqual([[1, 2, 3]]);
});
