import { describe, expect, test } from "vitest";
import type { ImageLayout, LayerReport } from "@/protocol/result";
import {
  coverage,
  keptRowCount,
  keptShare,
  keptShareOfAll,
  layersThatKept,
  overlayAlpha,
  patchAt,
  patchesOf,
  rowCount,
} from "./overlayGeometry";

const whole = { x: 0, y: 0, width: 1, height: 1 };
const square: ImageLayout = {
  image: "a",
  width: 384,
  height: 384,
  tiles: [{ firstPosition: 10, gridRows: 24, gridColumns: 24, box: whole }],
};
const layer = (kept: readonly number[], keptPerHead?: readonly number[][]): LayerReport => ({
  rowsBefore: 600,
  rowsAfter: kept.length,
  kept,
  ...(keptPerHead ? { keptPerHead } : {}),
});

describe("patches", () => {
  test("of one tile lie row by row over the whole image", () => {
    const patches = patchesOf(square);
    expect(patches).toHaveLength(576);
    const patch = patches[25]!;
    expect(patch).toMatchObject({ position: 35, row: 1, column: 1 });
    expect(patch.box.x).toBeCloseTo(1 / 24, 12);
    expect(patch.box.y).toBeCloseTo(1 / 24, 12);
    expect(patches.at(-1)!.box.x + patches.at(-1)!.box.width).toBeCloseTo(1, 12);
  });

  test("in the padding of a letter-boxed image are not there, and cut ones are clipped", () => {
    // A wide image in a square: the model saw it with a third of padding above and below.
    const layout: ImageLayout = {
      ...square,
      height: 128,
      tiles: [
        {
          firstPosition: 0,
          gridRows: 4,
          gridColumns: 2,
          box: { x: 0, y: -1, width: 1, height: 3 },
        },
      ],
    };
    const patches = patchesOf(layout);
    expect(patches.map(({ position }) => position)).toEqual([2, 3, 4, 5]);
    expect(patches[0]!.box).toEqual({ x: 0, y: 0, width: 0.5, height: 0.5 });
    expect(patches[2]!.box).toEqual({ x: 0, y: 0.5, width: 0.5, height: 0.5 });
    expect(rowCount(layout)).toBe(8);
  });

  test("of tiles over an overview are found finest first", () => {
    const layout: ImageLayout = {
      ...square,
      tiles: [
        {
          firstPosition: 0,
          gridRows: 4,
          gridColumns: 4,
          box: { x: 0, y: 0, width: 0.5, height: 1 },
        },
        {
          firstPosition: 16,
          gridRows: 4,
          gridColumns: 4,
          box: { x: 0.5, y: 0, width: 0.5, height: 1 },
        },
        { firstPosition: 32, gridRows: 4, gridColumns: 4, box: whole },
      ],
    };
    expect(coverage(layout)).toBe(2);
    expect(coverage(square)).toBe(1);
    expect(patchAt(patchesOf(layout), 0.51, 0.01)?.position).toBe(16);
    expect(patchAt(patchesOf(layout), 0.99, 0.99)?.position).toBe(31);
    expect(patchAt(patchesOf(layout), 1.2, 0.5)).toBeUndefined();
  });
});

describe("kept rows", () => {
  test("count visual rows alone", () => {
    expect(keptRowCount(square, keptShare(layer([0, 9, 10, 11, 585, 586])))).toBe(3);
  });

  test("count fractions where heads differ", () => {
    const share = keptShare(
      layer(
        [10, 11, 12],
        [
          [10, 11],
          [11, 12],
        ],
      ),
    );
    expect(share.get(10)).toBe(0.5);
    expect(share.get(11)).toBe(1);
    expect(keptRowCount(square, share)).toBe(2);
  });

  test("are those that are cached at the end of the answer", () => {
    const later: LayerReport = { ...layer([9, 10, 11, 12]), rowsEnd: 7, keptEnd: [[9, 10, 12]] };
    expect([...keptShare(later).keys()]).toEqual([9, 10, 12]);
    expect(layersThatKept([later], 11)).toEqual([]);
    expect(keptRowCount(square, keptShareOfAll([later]))).toBe(2);
  });

  test("over all layers are a mean, and name their layers", () => {
    const layers = [layer([10, 11]), layer([11]), layer([11, 12], [[11], [12]])];
    expect(keptShareOfAll(layers).get(11)).toBeCloseTo(2.5 / 3, 12);
    expect(keptShareOfAll(layers).get(10)).toBeCloseTo(1 / 3, 12);
    expect(layersThatKept(layers, 11)).toEqual([0, 1, 2]);
    expect(layersThatKept(layers, 12)).toEqual([2]);
  });
});

test("overlapping overlays reach full opacity together, and kept rows have none", () => {
  const each = overlayAlpha(0, 2, 0.86);
  expect(1 - (1 - each) ** 2).toBeCloseTo(0.86, 12);
  expect(overlayAlpha(1, 1, 0.86)).toBe(0);
});
