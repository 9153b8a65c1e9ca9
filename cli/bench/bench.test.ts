import { expect, it } from "vitest";
import { sizesOf } from "./bench";

const VALUES = { rows: "600,4000", prefill: "600", steps: "30", repeats: "3", "memory-gb": "60" };

it("reads what is to be measured, and refuses what is no number", () => {
  const sizes = { rows: [600, 4000], prefill: [600], steps: 30, repeats: 3, memoryGb: 60 };
  expect(sizesOf(VALUES)).toEqual(sizes);
  const wrong = { rows: "600,8k", prefill: "0", steps: "x", repeats: "1.5", "memory-gb": "0" };
  for (const [name, value] of Object.entries(wrong)) {
    const refusal = expect.objectContaining({ exitCode: 2 });
    expect(() => sizesOf({ ...VALUES, [name]: value }), name).toThrow(refusal);
  }
});
