import { expect, it } from "vitest";
import { rowsPerLayer } from "../../blocks/select";
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
