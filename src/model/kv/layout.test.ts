import { expect, it } from "vitest";
import { capacityFor, layoutRegions } from "./layout";

it("rounds rows up to whole blocks", () => {
  expect([0, 1, 64, 65].map(capacityFor)).toEqual([0, 64, 64, 128]);
});

it("lays regions out one after the other, with capacity for the rows that are needed", () => {
  expect(layoutRegions([3, 0, 70])).toEqual([
    { offset: 0, rows: 3, capacity: 64 },
    { offset: 64, rows: 0, capacity: 0 },
    { offset: 64, rows: 70, capacity: 128 },
  ]);
  expect(layoutRegions([3, 4], [65, 4])).toEqual([
    { offset: 0, rows: 3, capacity: 128 },
    { offset: 128, rows: 4, capacity: 64 },
  ]);
});
