import { expect, it } from "vitest";
import { gemvPlan } from "./gemvWidth";

it("gives a unit more invocations where there are few units", () => {
  const width = (rows: number, columns: number) =>
    gemvPlan("subgroup", "f16", { rows, columns }).width;
  expect(width(32_000, 2048)).toBe(64);
  expect(width(2560, 2048)).toBe(128);
  expect(width(2048, 5632)).toBe(256);
});

it("counts runs of weights: those in 4 bits are four times as long", () => {
  const size = { rows: 4096, columns: 4096 };
  expect(gemvPlan("subgroup", "f16", size)).toMatchObject({ width: 128, ahead: 4 });
  expect(gemvPlan("subgroup", "q8g64", size)).toMatchObject({ width: 128, ahead: 2 });
  expect(gemvPlan("subgroup", "q4g32", size)).toMatchObject({ width: 128, ahead: 1 });
});

it("never more than the depth feeds, and one on a software adapter", () => {
  expect(gemvPlan("workgroup", "f16", { rows: 576, columns: 576 })).toEqual({
    width: 64,
    ahead: 2,
    columns: 576,
  });
  expect(gemvPlan("one", "f16", { rows: 2048, columns: 5632 }).width).toBe(16);
});
