import { expect, it } from "vitest";
import { tiledGeometry } from "../families/tiledGeometry";
import type { TowerConfig } from "./towerConfig";
import { firstEqualRows, meanOfHeads, sumsOfRows } from "./visualRows";

/** Two tiles of 2 × 2 cells of 2 × 2 pixels; `cells` names the colour of each. */
function imageOf(cells: readonly number[]) {
  const pixelValues = Float32Array.from({ length: 2 * 3 * 16 }, (_, i) => {
    const [tile, y, x] = [Math.floor(i / 48), Math.floor(i / 4) % 4, i % 4];
    return cells[tile * 4 + Math.floor(y / 2) * 2 + Math.floor(x / 2)]! / 7 + (x % 2) / 3;
  });
  const geometry = tiledGeometry({ rows: 1, columns: 1 }, 4);
  return { pixelValues, tiles: 2, width: 4, height: 4, geometry };
}

it("finds rows with the pixels of an earlier one, in any tile", () => {
  const image = imageOf([1, 2, 1, 3, 3, 1, 4, 2]);
  expect([...firstEqualRows(image, 2)]).toEqual([0, 1, 0, 3, 3, 0, 6, 1]);
});

it("follows the arrangement, and takes no newline for a patch", () => {
  const arrangement = {
    rows: 4,
    parts: 1,
    indices: Uint32Array.of(2, 8, 0, 8),
    weights: new Float32Array(4).fill(1),
  };
  const image = { ...imageOf([1, 2, 1, 3, 3, 1, 4, 2]), arrangement };
  expect([...firstEqualRows(image, 2)]).toEqual([0, 1, 0, 3]);
});

it("sums attention over the patches of a row", () => {
  const config: TowerConfig = {
    ...{ imageSize: 4, patchSize: 1, channels: 3, hidden: 4, intermediate: 4, layers: 1, heads: 1 },
    ...{
      headDim: 4,
      activation: "gelu" as const,
      normEpsilon: 1e-6,
      norm: "layer" as const,
      width: 4,
    },
    ...{ hasPatchBias: true, hasQkvBias: true, hasQkNorm: false, hasLayerScale: false },
    ...{ hasClassToken: true, hasPreNorm: false, hasFinalNorm: false },
    connector: { fold: 2, hasBias: false },
  };
  // A class token, then 4 × 4 patches: each row of two by two patches.
  const received = Float32Array.from({ length: 17 }, (_, i) => i);
  const arrangement = {
    rows: 2,
    parts: 2,
    indices: Uint32Array.of(0, 3, 4, 0),
    weights: Float32Array.of(0.5, 0.5, 1, 0),
  };
  expect([...sumsOfRows(received, config, { tiles: 1 })]).toEqual([14, 22, 46, 54]);
  expect([...sumsOfRows(received, config, { tiles: 1, arrangement })]).toEqual([34, 0]);
  // Two columns: a value and its double.
  const wide = Float32Array.from([...received].flatMap((value) => [value, 2 * value]));
  const pairs = [14, 22, 46, 54].flatMap((value) => [value, 2 * value]);
  expect([...sumsOfRows(wide, config, { tiles: 1 }, 2)]).toEqual(pairs);
  expect([...sumsOfRows(wide, config, { tiles: 1, arrangement }, 2)]).toEqual([34, 68, 0, 0]);
});

it("means keys over heads, of the first rows of each", () => {
  // [2 heads, 3 rows, 2]
  const keys = Float32Array.of(1, 2, 3, 4, 9, 9, 5, 6, 7, 8, 9, 9);
  expect([...meanOfHeads(keys, { heads: 2, headDim: 2 }, 3, 2)]).toEqual([3, 4, 5, 6]);
});
