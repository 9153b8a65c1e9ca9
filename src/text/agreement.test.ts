import { describe, expect, it } from "vitest";
import { agreeingWords, agreement, alignedWords, changesBetween } from "./agreement";

describe("agreement", () => {
  it.each([
    ["Muffin, Pen, Beer", "Muffin, Pen, Beer", 1],
    ["Muffin, Bread, Beer", "Muffin, Pen, Beer", 2 / 3],
    ["Beer Pen Muffin", "Muffin Pen Beer", 1 / 3],
    ["a b", "a b c d", 0.5],
    ["", "a", 0],
    ["", "", 1],
  ])("of %j with %j is %d", (answer, reference, share) => {
    expect(agreement(answer, reference)).toBeCloseTo(share, 12);
  });

  it("marks as many words as the common subsequence has", () => {
    for (const [answer, reference] of [
      ["a x b c", "a b y c"],
      ["b a", "a b"],
      ["x a b", "a b x"],
      ["a a b", "a b b"],
    ] as const) {
      const marked = agreeingWords(answer, reference).filter(({ agrees }) => agrees);
      const longer = Math.max(answer.split(" ").length, reference.split(" ").length);
      expect(marked.length, answer).toBe(Math.round(agreement(answer, reference) * longer));
    }
    expect(agreeingWords("Muffin, Bread", "Muffin, Pen")).toEqual([
      { word: "Muffin,", agrees: true },
      { word: "Bread", agrees: false },
    ]);
  });
});

describe("alignedWords", () => {
  it.each([
    ["a b c", "a b c", [0, 1, 2]],
    ["a x c", "a b c", [0, 1, 2]],
    ["c", "a b c", [2]],
    ["a x y c", "a b c", [0, 1, undefined, 2]],
    ["x y", "a", [0, undefined]],
    ["a x a b", "a a b", [0, undefined, 1, 2]],
  ])("of %j with %j is %j", (answer, reference, expected) => {
    expect(alignedWords(answer, reference)).toEqual(expected);
  });
});

describe("changesBetween", () => {
  it.each([
    ["a b c", "a b c", []],
    ["", "", []],
    ["$12.00", "$11.00", [["$12.00", "$11.00"]]],
    ["a x y c", "a b c", [["x y", "b"]]],
    ["a c", "a b c", [["", "b"]]],
    ["a b x", "a b", [["x", ""]]],
    [
      "x b c y",
      "a b c d",
      [
        ["x", "a"],
        ["y", "d"],
      ],
    ],
  ])("of %j with %j is %j", (answer, reference, expected) => {
    const changes = expected.map(([own, other]) => ({ answer: own, reference: other }));
    expect(changesBetween(answer, reference)).toEqual(changes);
  });
});
