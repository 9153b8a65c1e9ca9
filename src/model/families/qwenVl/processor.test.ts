import { expect, it } from "vitest";
import { fittingSize, QwenVlProcessor } from "./processor";

const LIMITS = { fewest: 3136, most: 1_003_520 };

// Sizes of smart_resize of transformers 5.18 with a factor of 28.
it.each([
  [
    [70, 98],
    [56, 112],
  ],
  [
    [42, 126],
    [56, 112],
  ],
  [
    [4032, 3024],
    [1148, 840],
  ],
  [
    [1, 100],
    [28, 560],
  ],
  [
    [640, 480],
    [644, 476],
  ],
  [
    [5, 3],
    [84, 56],
  ],
  [
    [10000, 60],
    [9996, 56],
  ],
] as const)("makes an image of %o one of %o", (size, expected) => {
  expect(fittingSize(size, 28, LIMITS)).toEqual(expected);
});

it("refuses an image that is too long", () => {
  expect(() => fittingSize([201, 1], 28, LIMITS)).toThrow("200 times");
});

it("reads the limits wherever they stand, and refuses other patches", () => {
  const tower = { patchSize: 14, fold: 2 };
  const size = { shortest_edge: 28 * 28, longest_edge: 4 * 28 * 28 };
  expect(new QwenVlProcessor({ size }, tower).sizeFor(1000, 1000)).toEqual([56, 56]);
  const older = { size, max_pixels: 28 * 28 };
  expect(new QwenVlProcessor(older, tower).sizeFor(1000, 1000)).toEqual([28, 28]);
  expect(() => new QwenVlProcessor({ patch_size: 16 }, tower)).toThrow("other patches");
  expect(() => new QwenVlProcessor({ max_pixels: 1 }, tower)).toThrow("limits");
});
