import { expect, test } from "vitest";
import { cachedRows, imageSlots, shrunk, withAppended } from "./runs";

const visual = [
  { start: 2, end: 6 },
  { start: 7, end: 11 },
];

test("rows are counted as text or by tile, across pieces that cut a tile", () => {
  const runs = withAppended(withAppended([], visual, 0, 4), visual, 4, 9);
  expect(runs).toEqual([
    { tile: undefined, seen: 2, cached: 2 },
    { tile: 0, seen: 4, cached: 4 },
    { tile: undefined, seen: 1, cached: 1 },
    { tile: 1, seen: 2, cached: 2 },
  ]);
  expect(cachedRows(runs)).toBe(9);
  expect(imageSlots(runs)).toEqual([
    { start: 2, end: 6 },
    { start: 7, end: 9 },
  ]);
});

test("tiles share the quota, every layer keeps its best rows of each, and text stays", () => {
  const runs = withAppended([], visual, 0, 11);
  const rising = Float64Array.from({ length: 11 }, (_, slot) => slot);
  const falling = rising.map((value) => -value);
  const { plan, left } = shrunk(runs, 4, [rising, falling], 2);
  expect(left.map(({ cached }) => cached)).toEqual([2, 2, 1, 2]);
  expect(plan.layers.map(({ keep }) => [...keep[0]!])).toEqual([
    [0, 1, 4, 5, 6, 9, 10],
    [0, 1, 2, 3, 6, 7, 8],
  ]);
  // The next piece's quota is smaller: the same rows are shared again.
  const again = shrunk(left, 2, [rising, falling], 2);
  expect(again.left.map(({ cached, seen }) => [cached, seen])).toEqual([
    [2, 2],
    [1, 4],
    [1, 1],
    [1, 4],
  ]);
  expect(shrunk(runs, 8, [rising], 1).left).toEqual(runs);
});
