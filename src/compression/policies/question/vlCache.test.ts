import { expect, it } from "vitest";
import { rowsPerLayer } from "../../blocks/select";
import { planFor } from "../../plan";
import { handMade, keptLists, recordedRows } from "../../reference/promptFixture";
import { vlCache } from "./vlCache";

const scores = [5, 1, 4, 1, 1, 1, 3, 0, 0, 0];
const postVision = {
  sum: recordedRows([[scores], [scores]]),
  sparsity: Float32Array.of(0.25, 0.75),
};

it("gives dense layers more rows and ranks by the question", () => {
  const input = handMade({ postVision }, { rows: 10, layers: 2, budget: 8 });
  expect(rowsPerLayer(input, planFor(vlCache, input))).toEqual([6, 2]);
  expect(keptLists(planFor(vlCache, input))[1]).toEqual([[0, 2]]);
});

it("adds a window to clipped shares in EffiVLM-Bench's variant", () => {
  const input = handMade({ postVision }, { rows: 10, layers: 2, budget: 8 });
  const plan = planFor(vlCache, input, { variant: "effivlm" });
  expect(keptLists(plan)).toEqual([[[0, 1, 2, 3, 4, 6, 9]], [[0, 2, 9]]]);
});
