import { expect, it } from "vitest";
import { rowBudget } from "../../blocks/budget";
import { range, rowsPerLayer } from "../../blocks/select";
import { planFor } from "../../plan";
import { handMade, keptLists, recordedRows } from "../../reference/promptFixture";
import { fastV } from "./fastV";

const lastRow = recordedRows([
  [[9, 0, 0, 0, 0]],
  [[0, 3, 0, 4, 5]],
  [[7, 0, 7, 0, 0]],
  [[7, 0, 7, 0, 0]],
]);

it("ranks in the layer before K and keeps the layers up to there whole", () => {
  const input = handMade({ lastRow }, { rows: 5, layers: 4, budget: 14 });
  expect(keptLists(planFor(fastV, input))).toEqual([
    [[0, 1, 2, 3, 4]],
    [[0, 1, 2, 3, 4]],
    [[3, 4]],
    [[3, 4]],
  ]);
});

it("keeps fewer layers whole where the budget cannot pay for them", () => {
  const input = handMade({ lastRow }, { rows: 5, layers: 4, budget: 9 });
  expect(rowsPerLayer(input, planFor(fastV, input))).toEqual([5, 2, 1, 1]);
});

it("exceeds the budget by the whole layers in the released variant", () => {
  const input = handMade({ lastRow }, { rows: 5, layers: 4, budget: 8 });
  expect(rowsPerLayer(input, planFor(fastV, input, { variant: "release" }))).toEqual([5, 5, 2, 2]);
});

it("rounds the released variant's ratio once, halves to the even count", () => {
  const deeper = (rows: number, retention: number) => {
    const budget = rowBudget(retention, rows, 4);
    const values = Array.from({ length: 4 }, () => [range(0, rows)].map((row) => [...row]));
    const input = handMade(
      { lastRow: recordedRows(values) },
      { rows, layers: 4, budget, retention },
    );
    return rowsPerLayer(input, planFor(fastV, input, { variant: "release" }))[3];
  };
  expect(deeper(5, 0.5)).toBe(2); // 2.5
  expect(deeper(11, 0.22)).toBe(2); // 2.42, and 9.68 over four layers
});
