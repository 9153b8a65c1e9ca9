import { expect, it } from "vitest";
import { smallerTiles } from "./smallerTiles";

it("makes each pixel the mean of what it covers", () => {
  const geometry = { grid: { rows: 0, columns: 0 }, tiles: [] };
  const size = { tiles: 1, width: 3, height: 3, geometry };
  const first = [1, 2, 3, 4, 5, 6, 7, 8, 9];
  const pixelValues = Float32Array.of(...first, ...first.map((x) => -x));
  const smaller = smallerTiles({ ...size, pixelValues }, 2);
  expect(smaller).toMatchObject({ tiles: 1, width: 2, height: 2 });
  // A new pixel covers 1.5 × 1.5 old ones: weights 4, 2, 2 and 1 of 9.
  const corner = (a: number, b: number, c: number, d: number) => (4 * a + 2 * b + 2 * c + d) / 9;
  const means = [corner(1, 2, 4, 5), corner(3, 2, 6, 5), corner(7, 8, 4, 5), corner(9, 8, 6, 5)];
  for (const [i, mean] of [...means, ...means.map((x) => -x)].entries()) {
    expect(smaller.pixelValues[i]).toBeCloseTo(mean, 5);
  }
  expect(smallerTiles({ ...size, pixelValues }, 1).pixelValues[0]).toBeCloseTo(5, 5);
});
