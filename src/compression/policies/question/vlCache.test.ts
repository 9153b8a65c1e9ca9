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

it("leaves every layer 1 % of the prompt, or as much of it as the budget allows", () => {
  const taps = {
    postVision: {
      sum: recordedRows([[new Array<number>(400).fill(1)], [new Array<number>(400).fill(1)]]),
      sparsity: Float32Array.of(0, 1),
    },
  };
  const counts = (budget: number) => {
    const input = handMade(taps, { rows: 400, layers: 2, budget });
    return rowsPerLayer(input, planFor(vlCache, input));
  };
  expect(counts(80)).toEqual([76, 4]);
  expect(counts(7)).toEqual([4, 3]);
});

it("adds a window to clipped shares in EffiVLM-Bench's variant", () => {
  const input = handMade({ postVision }, { rows: 10, layers: 2, budget: 8 });
  const plan = planFor(vlCache, input, { variant: "effivlm" });
  expect(keptLists(plan)).toEqual([[[0, 1, 2, 3, 4, 6, 9]], [[0, 2, 9]]]);
});
