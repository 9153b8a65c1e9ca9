import { expect, test } from "vitest";
import { linesOf } from "./comparisonImage";

const tenLetters = (line: string) => line.length <= 10;

test.each([
  ["short", 2, ["short"]],
  ["a line that is broken", 3, ["a line", "that is", "broken"]],
  ["a line that is too long", 2, ["a line", "that is…"]],
  ["incomprehensible", 2, ["incomprehe", "nsible"]],
])("%s in %d lines", (text, most, lines) => {
  expect(linesOf(text, most, tenLetters)).toEqual(lines);
});
