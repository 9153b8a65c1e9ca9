import { describe, expect, it } from "vitest";
import { resample } from "./resample";

/** Pillow's `Image.resize(size, LANCZOS)` of `image()`, red, green and blue in turn. */
const PILLOW: Readonly<Record<string, readonly number[]>> = {
  "3x2": [33, 0, 12, 119, 96, 14, 213, 157, 16, 58, 0, 137, 152, 96, 139, 197, 157, 141],
  // the first three rows
  "10x9": [
    0, 0, 0, 15, 3, 0, 47, 14, 1, 71, 35, 2, 98, 64, 3, 122, 97, 3, 149, 150, 4, 173, 233, 5, 205,
    155, 6, 223, 53, 6, 2, 0, 1, 18, 3, 1, 50, 14, 2, 74, 35, 3, 101, 64, 4, 125, 97, 4, 152, 150,
    5, 176, 233, 6, 208, 155, 7, 226, 53, 7, 8, 0, 11, 25, 3, 11, 57, 14, 12, 81, 35, 13, 108, 64,
    14, 132, 97, 14, 159, 150, 15, 183, 233, 16, 215, 155, 17, 233, 53, 17,
  ],
};

/** Pillow computes with 22-bit fixed-point weights. */
const TOLERANCE = 1;

function image(): Uint8ClampedArray {
  const rows = Array.from({ length: 5 }, (_, y) => y);
  const columns = Array.from({ length: 7 }, (_, x) => x);
  return Uint8ClampedArray.from(
    rows.flatMap((y) =>
      columns.flatMap((x) => [
        (x * 37 + y * 11) % 256,
        (x * x * 9) % 256,
        (y * y * 13 + x) % 256,
        255,
      ]),
    ),
  );
}

describe("resample", () => {
  it.each([
    [3, 2],
    [10, 9],
  ] as const)("gives Pillow's pixels at %d × %d", (width, height) => {
    const scaled = resample(image(), [7, 5], [width, height]);
    const colors = scaled.filter((_, i) => i % 4 !== 3);
    for (const [i, expected] of (PILLOW[`${width}x${height}`] ?? []).entries()) {
      expect(Math.abs((colors[i] ?? -1) - expected), `${i}`).toBeLessThanOrEqual(TOLERANCE);
    }
    expect(colors).toHaveLength(width * height * 3);
    expect(scaled.every((value, i) => i % 4 !== 3 || value === 255)).toBe(true);
  });

  it("changes nothing at the same size", () => {
    expect(resample(image(), [7, 5], [7, 5])).toEqual(image());
  });
});
