import { expect, it } from "vitest";
import { gemvPlan } from "./gemvWidth";

it("gives a unit more invocations where there are few units", () => {
  const plan = (rows: number, columns: number) => {
    const { width, ahead } = gemvPlan("subgroup", "f16", { rows, columns });
    return [width, ahead];
  };
  // Within 3 % of the fastest division that was measured for each matrix.
  expect(plan(2560, 2048)).toEqual([128, 2]);
  expect(plan(2048, 2048)).toEqual([128, 2]);
  expect(plan(11_264, 2048)).toEqual([64, 1]);
  expect(plan(2048, 5632)).toEqual([256, 4]);
  expect(plan(32_000, 2048)).toEqual([64, 1]);
  expect(plan(960, 576)).toEqual([128, 1]);
  expect(plan(576, 576)).toEqual([128, 1]);
  expect(plan(3072, 576)).toEqual([128, 1]);
  expect(plan(576, 1536)).toEqual([128, 2]);
  expect(plan(49_280, 576)).toEqual([64, 1]);
});

it("loads as many bytes ahead whatever the bits of a weight, where units are many", () => {
  const wide = { rows: 11_264, columns: 2048 };
  expect(gemvPlan("subgroup", "q8g64", wide)).toMatchObject({ width: 64, ahead: 2 });
  expect(gemvPlan("subgroup", "q4g32", wide)).toMatchObject({ width: 64, ahead: 4 });
  const narrow = { rows: 4096, columns: 4096 };
  expect(gemvPlan("subgroup", "f16", narrow)).toMatchObject({ width: 128, ahead: 4 });
  expect(gemvPlan("subgroup", "q4g32", narrow)).toMatchObject({ width: 128, ahead: 4 });
});

it("never more than the depth feeds, and one on a software adapter", () => {
  expect(gemvPlan("workgroup", "f16", { rows: 576, columns: 320 })).toEqual({
    width: 64,
    ahead: 1,
    columns: 320,
  });
  expect(gemvPlan("one", "f16", { rows: 2048, columns: 5632 }).width).toBe(16);
});
