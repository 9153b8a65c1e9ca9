import { expect, it } from "vitest";
import { GROUP_STEPS } from "./decodeSteps";
import { GroupSize } from "./groupSize";

function sizeAt(ms: number, tokens: number, isSingle = false): number {
  const size = new GroupSize(isSingle);
  size.measured(ms);
  return size.next(tokens);
}

it("takes as many steps as fit into 20 ms", () => {
  expect([0.01, 2, 5, 8, 30].map((ms) => sizeAt(ms, 1000))).toEqual([GROUP_STEPS, 10, 4, 2, 1]);
});

it("starts with single steps, and never takes more than a quarter of the tokens so far", () => {
  expect(new GroupSize(false).next(0)).toBe(1);
  expect([0, 1, 5, 9, 33, 500].map((tokens) => sizeAt(1, tokens))).toEqual([1, 1, 2, 3, 9, 16]);
});

it("follows the time of a token slowly, and stays at one where steps depend on tokens", () => {
  const size = new GroupSize(false);
  size.measured(2);
  size.measured(12);
  expect(size.next(1000)).toBe(4);
  expect(sizeAt(1, 1000, true)).toBe(1);
});
