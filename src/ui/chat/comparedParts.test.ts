import { expect, test } from "vitest";
import { comparedParts } from "./comparedParts";

const differing = (text: string, reference: string, isStreaming = false) =>
  comparedParts(text, reference, isStreaming)
    .filter(({ differs }) => differs)
    .map((part) => part.text.trim());

test("words that the reference does not have in this order are marked together", () => {
  expect(differing("Muffin, Bread, Milk, Rice", "Muffin, Pen, Rice")).toEqual(["Bread, Milk,"]);
  expect(differing("the same words", "the same words")).toEqual([]);
});

test("the parts are the text again, white space and all", () => {
  const text = " River Shop /\n16 Aug  2028 ";
  const parts = comparedParts(text, "River Store / 16 Aug 2020", false);
  expect(parts.map((part) => part.text).join("")).toBe(text);
  expect(parts.filter(({ differs }) => differs).map((part) => part.text.trim())).toEqual([
    "Shop",
    "2028",
  ]);
});

test("a word that is still being written is not judged", () => {
  expect(differing("16 Au", "16 Aug 2028", true)).toEqual([]);
  expect(differing("16 Au ", "16 Aug 2028", true)).toEqual(["Au"]);
});
