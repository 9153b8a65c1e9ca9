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

it("counts runs of weights: those in 4 bits are four times as long", () => {
  const size = { rows: 4096, columns: 4096 };
  expect(gemvPlan("subgroup", "f16", size)).toMatchObject({ width: 128, ahead: 4 });
  expect(gemvPlan("subgroup", "q8g64", size)).toMatchObject({ width: 128, ahead: 2 });
  expect(gemvPlan("subgroup", "q4g32", size)).toMatchObject({ width: 128, ahead: 1 });
});

it("never more than the depth feeds, and one on a software adapter", () => {
  expect(gemvPlan("workgroup", "f16", { rows: 576, columns: 320 })).toEqual({
    width: 64,
    ahead: 1,
    columns: 320,
  });
  expect(gemvPlan("one", "f16", { rows: 2048, columns: 5632 }).width).toBe(16);
});
