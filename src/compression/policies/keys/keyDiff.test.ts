import { expect, it } from "vitest";
import { planFor } from "../../plan";
import { handMade, keptLists, recordedRows } from "../../reference/promptFixture";
import { keyDiff } from "./keyDiff";

it("keeps the keys that are unlike the mean key, per head, and shows them as the strongest", () => {
  const keyCosine = recordedRows([
    [
      [0.9, 0.2, 0.8, -0.1],
      [-0.5, 0.2, 0.8, 0.9],
    ],
  ]);
  const keyStats = {
    keyNorm: keyCosine,
    valueNorm: keyCosine,
    keyCosine,
    meanKeyNorm2: new Float32Array(2),
  };
  const input = handMade({ keyStats }, { rows: 4, kvHeads: 2, budget: 2 });
  const plan = planFor(keyDiff, input);
  expect(keptLists(plan)).toEqual([
    [
      [1, 3],
      [0, 1],
    ],
  ]);
  expect([...plan.scores!.data]).toEqual([...keyCosine.data].map((cosine) => -cosine));
  expect(keptLists(planFor(keyDiff, input, { recent: 1 }))[0]![1]).toEqual([0, 3]);
});
