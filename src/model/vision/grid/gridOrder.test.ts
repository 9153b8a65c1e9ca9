import { expect, it } from "vitest";
import { gridOrder, positionTaps } from "./gridOrder";

it("takes the patches of a feature row one after the other", () => {
  const { patches, windows, features } = gridOrder({ rows: 2, columns: 6 }, 2);
  expect([...patches]).toEqual([0, 1, 6, 7, 2, 3, 8, 9, 4, 5, 10, 11]);
  expect(windows).toEqual([{ first: 0, rows: 12 }]);
  expect([...features]).toEqual([0, 1, 2]);
});

it("takes the feature rows of a window one after the other", () => {
  // 3 × 5 features in windows of 2 × 2: the last ones are narrow or low.
  const { patches, windows, features } = gridOrder({ rows: 3, columns: 5 }, 1, 2);
  expect([...patches]).toEqual([0, 1, 5, 6, 2, 3, 7, 8, 4, 9, 10, 11, 12, 13, 14]);
  expect(windows.map(({ rows }) => rows)).toEqual([4, 4, 2, 2, 2, 1]);
  expect(windows.map(({ first }) => first)).toEqual([0, 4, 8, 10, 12, 14]);
  expect(Array.from(features, (place) => patches[place])).toEqual(
    [...patches].toSorted((a, b) => a - b),
  );
});

it("interpolates positions so that the corners meet", () => {
  const grid = { rows: 2, columns: 3 };
  const { indices, weights } = positionTaps(grid, 4);
  const at = (patch: number) =>
    [0, 1, 2, 3].map((i) => [indices[patch * 4 + i], weights[patch * 4 + i]]).filter(([, w]) => w);
  expect(at(0)).toEqual([[0, 1]]);
  expect(at(1)).toEqual([
    [1, 0.5],
    [2, 0.5],
  ]);
  expect(at(5)).toEqual([[15, 1]]);
});
