import { describe, expect, it } from "vitest";
import { commonTokens, coveredTokens, settingsKey } from "./continuation";

const settings = {
  policy: "h2o",
  retention: 0.5,
  scope: "visual",
  options: { a: 1, b: 2 },
} as const;
const seen = (ids: readonly number[], tiles = ["page"], change = {}) => ({
  ids,
  tiles,
  settings: settingsKey({ ...settings, ...change }),
});

describe("continuation", () => {
  it("appends where the held tokens are the prompt's beginning", () => {
    expect(coveredTokens(seen([1, 2, 3]), seen([1, 2, 3, 4, 5]))).toBe(3);
    expect(coveredTokens(seen([1, 2, 3]), seen([1, 2, 3, 4], ["page", "back"]))).toBe(3);
  });

  it("prefills anew where anything was changed", () => {
    expect(coveredTokens(undefined, seen([1]))).toBe(0);
    expect(coveredTokens(seen([1, 9]), seen([1, 2, 3]))).toBe(0);
    expect(coveredTokens(seen([1, 2, 3]), seen([1, 2]))).toBe(0);
    expect(coveredTokens(seen([1, 2]), seen([1, 2, 3], ["other page"]))).toBe(0);
    expect(coveredTokens(seen([1, 2], ["page", "back"]), seen([1, 2, 3]))).toBe(0);
  });

  it("finds the beginning that two prompts share, images included", () => {
    const held = seen([1, 7, 7, 2, 3, 9], ["page"]);
    const common = (ids: readonly number[], tiles = ["page"], change = {}) =>
      commonTokens(held, seen(ids, tiles, change), [1]);
    expect(common([1, 7, 7, 2, 4, 5])).toBe(4);
    expect(common([1, 7, 7, 2, 3, 9, 8])).toBe(6);
    expect(common([1, 7, 7, 2]), "one token is left").toBe(3);
    expect(common([1, 7, 7, 2, 4], ["other page"])).toBe(1);
    expect(common([5, 7, 7])).toBe(0);
    expect(common([1, 7, 7, 2, 4], ["page"], { retention: 0.4 })).toBe(0);
  });

  it("prefills anew where there is nothing to add", () => {
    expect(coveredTokens(seen([1, 2, 3]), seen([1, 2, 3]))).toBe(0);
  });

  it.each([
    { policy: "snapkv" },
    { retention: 0.4 },
    { scope: "prompt" },
    { options: { a: 1, b: 3 } },
    { capMb: 2 },
  ])("prefills anew under %o", (change) => {
    expect(coveredTokens(seen([1, 2], ["page"], change), seen([1, 2, 3]))).toBe(0);
  });

  it("does not mind the order of options", () => {
    const other = seen([1, 2], ["page"], { options: { b: 2, a: 1 } });
    expect(coveredTokens(other, seen([1, 2, 3]))).toBe(2);
  });
});
