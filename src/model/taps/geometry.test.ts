import { describe, expect, it } from "vitest";
import { blockSpans, TAIL_LIMIT, tapGeometry } from "./geometry";

const shape = { layers: 2, heads: 4, kvHeads: 2, rows: 100, keys: 100, paddedKeys: 100 };

describe("the tail", () => {
  it("is as long as the tap that needs most, and never longer than the prompt", () => {
    expect(tapGeometry([3, 40, 0], shape)).toMatchObject({ tailRows: 40, notices: [] });
    expect(tapGeometry([], shape).tailRows).toBe(0);
    expect(tapGeometry([1], { ...shape, rows: 1 }).tailRows).toBe(1);
  });

  it("is limited, and says so", () => {
    const { tailRows, notices } = tapGeometry([5000], { ...shape, rows: 6000 });
    expect(tailRows).toBe(TAIL_LIMIT);
    expect(notices).toEqual([{ code: "fewerQueries", asked: 5000, used: 2048 }]);
  });

  it("has blocks whose probabilities fit 32 MiB, at least one row each", () => {
    const wide = { ...shape, heads: 32, rows: 4096, keys: 4096, paddedKeys: 4096 };
    expect(tapGeometry([2048], wide).blockRows).toBe(64);
    expect(tapGeometry([8], wide).blockRows).toBe(8);
    expect(tapGeometry([8], { ...wide, heads: 4096 }).blockRows).toBe(1);
  });
});

describe("blocks", () => {
  it("cover the tail once, last block first, and cross no tap's first row", () => {
    const blocks = blockSpans({ tailRows: 50, blockRows: 16 }, [50, 11, 1, 11]);
    expect(blocks).toEqual([
      { start: 49, end: 50 },
      { start: 39, end: 49 },
      { start: 23, end: 39 },
      { start: 7, end: 23 },
      { start: 0, end: 7 },
    ]);
  });

  it("are none without a tail", () => {
    expect(blockSpans({ tailRows: 0, blockRows: 1 }, [0])).toEqual([]);
  });
});
