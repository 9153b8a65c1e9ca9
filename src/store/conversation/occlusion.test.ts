import { describe, expect, test } from "vitest";
import { areaOf, colorAround, hiddenLabel, surroundings } from "./occlusion";

const patch = (row: number, column: number, side = 24) => ({
  x: column / side,
  y: row / side,
  width: 1 / side,
  height: 1 / side,
});

describe("the pixels of a patch", () => {
  test("are its own where patches end on whole pixels", () => {
    for (let column = 0; column < 24; column++) {
      expect(areaOf(patch(5, column), 384, 384)).toEqual({
        left: 16 * column,
        top: 80,
        right: 16 * column + 16,
        bottom: 96,
      });
    }
  });

  test("include those that it covers in part, and none beyond the image", () => {
    expect(areaOf(patch(23, 23), 100, 50)).toEqual({ left: 95, top: 47, right: 100, bottom: 50 });
    expect(areaOf({ x: 0, y: 0, width: 0.011, height: 0.011 }, 100, 100)).toEqual({
      left: 0,
      top: 0,
      right: 2,
      bottom: 2,
    });
  });
});

test("the surroundings are half of the patch wide and stay within the image", () => {
  const area = { left: 16, top: 0, right: 32, bottom: 16 };
  expect(surroundings(area, 384, 20)).toEqual({ left: 8, top: 0, right: 40, bottom: 20 });
});

describe("the colour of the surroundings", () => {
  const width = 8;
  const area = { left: 2, top: 2, right: 4, bottom: 4 };
  /** Grey of 100, a red patch in it. */
  const image = () => {
    const pixels = new Uint8ClampedArray(8 * 8 * 4).fill(100);
    paint(pixels, area, [255, 0, 0]);
    return pixels;
  };
  function paint(
    pixels: Uint8ClampedArray,
    { left, top, right, bottom }: typeof area,
    color: readonly number[],
  ) {
    for (let y = top; y < bottom; y++)
      for (let x = left; x < right; x++) pixels.set([...color, 255], 4 * (y * width + x));
  }

  test("has nothing of the patch", () => {
    expect(colorAround(image(), width, area, [area])).toEqual([100, 100, 100]);
  });

  test("has nothing of a hidden patch beside it, and something of one that is not hidden", () => {
    const beside = { left: 4, top: 2, right: 6, bottom: 4 };
    const pixels = image();
    paint(pixels, beside, [0, 0, 220]);
    expect(colorAround(pixels, width, area, [area, beside])).toEqual([100, 100, 100]);
    // Of the twelve pixels around the patch two are blue.
    expect(colorAround(pixels, width, area, [area])).toEqual([
      Math.round((10 * 100) / 12),
      Math.round((10 * 100) / 12),
      Math.round((10 * 100 + 2 * 220) / 12),
    ]);
  });

  test("is the image's where all of its surroundings are hidden", () => {
    const around = { left: 0, top: 0, right: 6, bottom: 6 };
    const pixels = image();
    paint(pixels, { left: 6, top: 0, right: 8, bottom: 8 }, [10, 20, 30]);
    paint(pixels, { left: 0, top: 6, right: 6, bottom: 8 }, [10, 20, 30]);
    expect(colorAround(pixels, width, area, [area, around])).toEqual([10, 20, 30]);
    const all = { left: 0, top: 0, right: 8, bottom: 8 };
    expect(colorAround(pixels, width, area, [all])).toEqual([128, 128, 128]);
  });
});

test("the label counts rows from 1, in order", () => {
  const hidden = (...positions: readonly number[]) => ({
    image: "p",
    patches: positions.map((position) => ({ position, box: patch(0, 0) })),
  });
  expect(hiddenLabel(hidden(142))).toBe("without row 143");
  expect(hiddenLabel(hidden(142, 11))).toBe("without rows 12, 143");
});
