import { expect, it } from "vitest";
import { planFor } from "../../plan";
import { handMade, keptLists, recordedRows } from "../../reference/promptFixture";
import { snapKv } from "./snapKv";

const votes = [0, 0, 9, 0, 0, 0, 0, 5, 5, 0, 0, 0];

it("keeps its window and the neighbours of a strong vote, per head", () => {
  const other = [...votes].reverse();
  const window = recordedRows([[votes, other]]);
  const input = handMade({ window }, { rows: 12, kvHeads: 2, budget: 5 });
  const plan = planFor(snapKv, input, { window: 2, kernel: 3 });
  expect(keptLists(plan)).toEqual([
    [
      [1, 7, 8, 10, 11],
      [3, 4, 8, 10, 11],
    ],
  ]);
});

it("prefers peaks with max pooling", () => {
  const input = handMade({ window: recordedRows([[votes]]) }, { rows: 12, budget: 5 });
  const plan = planFor(snapKv, input, { window: 2, kernel: 3, pooling: "max" });
  expect(keptLists(plan)).toEqual([[[1, 2, 3, 10, 11]]]);
});

it("gives every row that is below the mean the same defensive score", () => {
  const rare = [0.2, 0.1, 0, 0.3, 0, 0, 0, 9, 0, 0, 0, 0];
  const input = handMade({ window: recordedRows([[rare]]) }, { rows: 12, budget: 4 });
  const plan = planFor(snapKv, input, { window: 1, aggregate: "defensive" });
  expect(keptLists(plan)).toEqual([[[0, 1, 7, 11]]]);
});
