import { expect, it } from "vitest";
import { planFor } from "../../plan";
import { handMade, keptLists, recordedRows } from "../../reference/promptFixture";
import { adaKv } from "./adaKv";

it("gives a head that looks at many rows what a focused one does not need", () => {
  const wide = [5, 5, 5, 5, 5, 5, 5, 5, 0, 0];
  const focused = [9, 1, 1, 1, 1, 1, 1, 1, 0, 0];
  const window = recordedRows([[wide, focused]]);
  const input = handMade({ window }, { rows: 10, kvHeads: 2, budget: 7 });
  const [[many, few]] = keptLists(planFor(adaKv, input, { window: 2, kernel: 1 })) as [
    [number[], number[]],
  ];
  expect(many).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(few).toEqual([0, 1, 8, 9]);
});

it("never leaves a head less than its floor", () => {
  const window = recordedRows([
    [
      [5, 5, 5, 5, 5, 5, 5, 5, 0, 0],
      [0.4, 0.3, 0.2, 0.1, 0, 0, 0, 0, 0, 0],
    ],
  ]);
  const input = handMade({ window }, { rows: 10, kvHeads: 2, budget: 6 });
  const plan = planFor(adaKv, input, { window: 2, kernel: 1, floor: 0.5 });
  expect(keptLists(plan)[0]!.map((rows) => rows.length)).toEqual([8, 4]);
});
