import { expect, test } from "vitest";
import { distinctTitles } from "./distinctTitles";

test("a number tells conversations of one title apart, and is no part of what is renamed", () => {
  const entries = ["Receipt", "Chart", "Receipt"].map((title, index) => {
    return { id: `${index}`, title, updatedAt: 9 - index, pictures: 1, questions: 1 };
  });
  const shown = distinctTitles(entries);
  expect(shown.map(({ title }) => title)).toEqual(["Receipt (2)", "Chart", "Receipt"]);
  expect(shown.map(({ storedTitle }) => storedTitle)).toEqual(["Receipt", "Chart", "Receipt"]);
});
