import { expect, test } from "vitest";
import { isBlank } from "./decode";

const pixels = (...colors: readonly (readonly number[])[]) =>
  Uint8ClampedArray.from(colors.flatMap((color) => [...color, 255]));

test("an image of one colour is blank, whatever its compression leaves of it", () => {
  expect(isBlank(pixels([200, 100, 50], [204, 97, 50]))).toBe(true);
  expect(isBlank(pixels([200, 100, 50], [200, 100, 70]))).toBe(false);
});
