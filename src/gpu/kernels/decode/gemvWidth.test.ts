import { expect, it } from "vitest";
import { gemvWidth } from "./gemvWidth";

it("gives a unit more invocations where there are few units", () => {
  expect(gemvWidth("subgroup", { rows: 32_000, columns: 2048 })).toBe(64);
  expect(gemvWidth("subgroup", { rows: 2560, columns: 2048 })).toBe(128);
  expect(gemvWidth("subgroup", { rows: 2048, columns: 5632 })).toBe(256);
});

it("counts runs of weights: those in 4 bits are eight times as long", () => {
  const size = { rows: 4096, columns: 11_008 };
  expect(gemvWidth("subgroup", size)).toBe(128);
  expect(gemvWidth("subgroup", { ...size, dtype: "q8g64" })).toBe(128);
  expect(gemvWidth("subgroup", { ...size, columns: 4096, dtype: "q4g32" })).toBe(64);
});

it("never more than the depth feeds, and one on a software adapter", () => {
  expect(gemvWidth("workgroup", { rows: 576, columns: 576 })).toBe(64);
  expect(gemvWidth("one", { rows: 2048, columns: 5632 })).toBe(16);
});
