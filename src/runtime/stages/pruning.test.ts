import { expect, it } from "vitest";
import { computedSpan } from "../request/prefillSpan";
import { mergedRows } from "./mergedFeatures";

it("averages each row with those that merge into it, or adds their mean", () => {
  const data = Float32Array.of(1, 2, 3, 4, 5, 9, 7, 7);
  const into = Int32Array.of(2, -1, -1, 2);
  const means = mergedRows(data, 2, into);
  expect([...means]).toEqual([1, 2, 3, 4, (1 + 5 + 7) / 3, 6, 7, 7].map(Math.fround));
  expect([...mergedRows(data, 2, into, "add")]).toEqual([1, 2, 3, 4, 5 + 4, 9 + 4.5, 7, 7]);
});

it("counts the computed rows of a span", () => {
  const visual = [
    { start: 2, end: 5 },
    { start: 6, end: 8 },
  ];
  const span = { start: 0, rows: 10, visual, textStart: 8 };
  const kept = Uint32Array.of(0, 1, 3, 5, 8, 9);
  expect(computedSpan({ ...span, kept })).toEqual({
    rows: 6,
    visual: [{ start: 2, end: 3 }],
    textStart: 4,
  });
  expect(computedSpan(span)).toEqual({ rows: 10, visual, textStart: 8 });
});
