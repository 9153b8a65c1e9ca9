import { describe, expect, it } from "vitest";
import { firstTextRow, observationRows, spanMask, votedKeys } from "./prompt";

const image = { rows: 50, visual: [{ start: 2, end: 40 }], textStart: 40 };

describe("rows of a prompt", () => {
  it("clamps a window to the text after an image, else to all but the first row", () => {
    expect(observationRows(image, 32)).toBe(10);
    expect(observationRows(image, 4)).toBe(4);
    expect(observationRows({ ...image, textStart: 50 }, 99)).toBe(49);
    expect(observationRows({ rows: 50, visual: [], textStart: 18 }, 64)).toBe(49);
    expect(observationRows({ rows: 1, visual: [], textStart: 0 }, 32)).toBe(1);
  });

  it("always has a text row", () => {
    expect(firstTextRow(image)).toBe(40);
    expect(firstTextRow({ rows: 40, textStart: 40 })).toBe(39);
  });

  it("votes on candidates before the text: the image, or what is given", () => {
    const small = { rows: 6, visual: [{ start: 1, end: 3 }], textStart: 4 };
    expect([...votedKeys(small, 8)]).toEqual([0, 1, 1, 0, 0, 0, 0, 0]);
    const keys = [1, 0, 1, 1, 1, 1];
    expect([...votedKeys({ ...small, keys }, 6)]).toEqual([1, 0, 1, 1, 0, 0]);
    expect([
      ...spanMask(4, [
        { start: 0, end: 1 },
        { start: 2, end: 4 },
      ]),
    ]).toEqual([1, 0, 1, 1]);
  });
});
