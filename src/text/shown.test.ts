import { expect, it } from "vitest";
import { shown } from "./shown";

it("quotes what is short as it is", () => {
  const cases = [
    ["gelu", "gelu"],
    [-1, "-1"],
    [undefined, "undefined"],
    [null, "null"],
  ] as const;
  for (const [value, text] of cases) expect(shown(value)).toBe(text);
  expect(shown({ a: [1, "b"] })).toBe('{"a":[1,"b"]}');
  expect(shown(Symbol("x"))).toBe("Symbol(x)");
});

it("cuts what is long at 80 characters, and no character in two", () => {
  expect(shown("x".repeat(80))).toBe("x".repeat(80));
  expect(shown("x".repeat(81))).toBe(`${"x".repeat(79)}…`);
  expect(shown("😀".repeat(1e6))).toBe(`${"😀".repeat(79)}…`);
  expect(shown(Array(100).fill("y"))).toHaveLength(80);
});

it("survives values that are no JSON", () => {
  const own: { self?: unknown } = {};
  own.self = own;
  let deep: unknown = 1;
  for (let i = 0; i < 100_000; i++) deep = [deep];
  for (const value of [own, deep]) expect(shown(value).length).toBeLessThanOrEqual(80);
});
