import { describe, expect, it } from "vitest";
import { peakBytes, shrunkRows } from "./cap";

const rowBytes = 10;

describe("cap", () => {
  it("counts every layer at its capacity, and the largest one twice", () => {
    expect(
      peakBytes(
        [
          [64, 64],
          [1, 0],
        ],
        0,
        rowBytes,
      ),
    ).toBe((128 + 64 + 128) * rowBytes);
    expect(
      peakBytes(
        [
          [64, 64],
          [1, 0],
        ],
        1,
        rowBytes,
      ),
    ).toBe((256 + 128 + 256) * rowBytes);
  });

  it("keeps the largest share of every head that fits, and what must stay", () => {
    const rows = [
      [1000, 1000],
      [400, 200],
    ];
    const least = [
      [10, 10],
      [50, 150],
    ];
    const bytes = 16_000;
    const target = shrunkRows(rows, least, 30, { bytes, rowBytes }) as number[][];
    expect(peakBytes(target, 30, rowBytes)).toBeLessThanOrEqual(bytes);
    const [[a = 0] = [], [b = 0, c = 0] = []] = target;
    expect(b / 400).toBeCloseTo(a / 1000, 2);
    expect(c).toBe(150);
    const larger = target.map((heads, l) =>
      heads.map((r, h) => Math.min(rows[l]?.[h] ?? 0, r + 64)),
    );
    expect(peakBytes(larger, 30, rowBytes)).toBeGreaterThan(bytes);
  });

  it("keeps everything where everything fits, and says when nothing does", () => {
    expect(shrunkRows([[100]], [[1]], 0, { bytes: 1e6, rowBytes })).toEqual([[100]]);
    expect(shrunkRows([[100]], [[90]], 0, { bytes: 2559, rowBytes })).toBeUndefined();
    expect(shrunkRows([[100]], [[64]], 0, { bytes: 2559, rowBytes })).toEqual([[64]]);
  });
});
