import { expect, it } from "vitest";
import { closestGrid, InternVlProcessor } from "./processor";

const limits = { tileSize: 10, minTiles: 1, maxTiles: 6 };

it.each([
  ["a small square has one tile", 12, 12, [1, 1]],
  // Both 1 × 1 and 2 × 2 have the ratio 1; the area decides.
  ["a large square has as many tiles as it fills by half", 15, 15, [2, 2]],
  ["a wide one", 61, 20, [1, 3]],
  ["a tall one", 20, 200, [6, 1]],
  ["a ratio between two grids takes the closer one", 30, 22, [2, 3]],
] as const)("%s", (_, width, height, [rows, columns]) => {
  expect(closestGrid([width, height], limits)).toEqual({ rows, columns });
});

it("shows the whole image after its tiles, unless there is one tile", () => {
  const config = { size: { height: 10, width: 10 }, max_patches: 6, image_mean: 0, image_std: 1 };
  const processor = new InternVlProcessor(config, 10, 2);
  const image = (width: number, height: number) => {
    const data = new Uint8ClampedArray(width * height * 4).fill(255);
    return processor.process({ data, width, height });
  };
  expect(image(12, 12)).toMatchObject({ tiles: 1, geometry: { grid: { rows: 0, columns: 0 } } });
  const wide = image(40, 20);
  expect(wide).toMatchObject({ tiles: 3, geometry: { grid: { rows: 1, columns: 2 } } });
  expect(wide.geometry.tiles.at(-1)?.box).toEqual({ x: 0, y: 0, width: 1, height: 1 });
  expect(wide.pixelValues.every((value) => Math.abs(value - 1) < 1e-6)).toBe(true);
});

it("refuses tiles that the encoder does not take", () => {
  const config = { size: { height: 20, width: 20 } };
  expect(() => new InternVlProcessor(config, 10, 2)).toThrow(/20 pixels as size/);
});
