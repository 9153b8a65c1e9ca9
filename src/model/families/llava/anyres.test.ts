import { expect, it } from "vitest";
import { anyresRows, bilinear } from "./anyres";

it("interpolates between four places as PyTorch does", () => {
  // interpolate of [[0, 1, 2], [3, 4, 5]] to 1 × 2: [[1.75, 3.25]]
  const values = (x: number) =>
    bilinear({ rows: 2, columns: 3 }, { rows: 1, columns: 2 }, 0, x).reduce(
      (sum, [row, column, weight]) => sum + weight * (3 * row + column),
      0,
    );
  expect([values(0), values(1)]).toEqual([1.75, 3.25]);
});

it("scales rows down above the limit, and only then", () => {
  const rows = (maxTiles: number) => {
    const { arrangement, geometry } = anyresRows([90, 60], { rows: 2, columns: 3 }, 4, maxTiles);
    const lines = geometry.tiles.reduce((sum, tile) => sum + tile.gridRows * tile.gridColumns, 0);
    expect(arrangement.rows).toBe(lines);
    return [arrangement.parts, arrangement.rows];
  };
  // 8 × 12 rows and 8 newlines behind the whole image's 16.
  expect(rows(6)).toEqual([1, 16 + 8 * 13]);
  // √(96 / 32) = 1.73: 4 × 6.
  expect(rows(2)).toEqual([4, 16 + 4 * 7]);
});
