import { describe, expect, test } from "vitest";
import { stepsOfWords, wordsIn } from "./words";

test("words are what stands between white space", () => {
  expect(wordsIn(" Muffin,  $4.00\n")).toEqual([
    { start: 1, end: 8 },
    { start: 10, end: 15 },
  ]);
  expect(wordsIn("")).toEqual([]);
});

describe("the steps of a word", () => {
  test("are those whose tokens wrote a character of it", () => {
    // "The", " to", "tal", " is", "\n", "$75" and the stop token.
    const answer = "The total is\n$75";
    expect(stepsOfWords(answer, [3, 6, 9, 12, 13, 16, 16])).toEqual([[0], [1, 2], [3], [5]]);
  });

  test("include those that wrote the first bytes of a character", () => {
    // "a " and then "é!", whose first byte came alone.
    expect(stepsOfWords("a é!", [1, 2, 2, 3, 4])).toEqual([[0], [2, 3, 4]]);
  });

  test("may be shared by two words, and end where the record does", () => {
    expect(stepsOfWords("a b c", [3])).toEqual([[0], [0], []]);
  });
});
