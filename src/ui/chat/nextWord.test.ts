import { expect, test } from "vitest";
import { nextWord } from "./nextWord";

test("arrows move from word to word and stay within the answer", () => {
  expect(nextWord("ArrowRight", 0, 3)).toBe(1);
  expect(nextWord("ArrowDown", 2, 3)).toBe(2);
  expect(nextWord("ArrowLeft", 2, 3)).toBe(1);
  expect(nextWord("ArrowUp", 0, 3)).toBe(0);
  expect(nextWord("End", 0, 3)).toBe(2);
  expect(nextWord("Home", 2, 3)).toBe(0);
});

test("other keys lead nowhere", () => {
  expect(nextWord("a", 0, 3)).toBeUndefined();
  expect(nextWord("Tab", 0, 3)).toBeUndefined();
});
