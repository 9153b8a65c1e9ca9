import { expect, it } from "vitest";
import { planFor } from "../../plan";
import { handMade, keptLists, recordedRows } from "../../reference/promptFixture";
import { knorm } from "./knorm";

it("keeps the keys with the smallest norm, per head", () => {
  const keyNorm = recordedRows([
    [
      [1, 5, 2, 4],
      [4, 1, 5, 2],
    ],
  ]);
  const keyStats = {
    keyNorm,
    valueNorm: keyNorm,
    keyCosine: keyNorm,
    meanKeyNorm2: new Float32Array(2),
  };
  const plan = planFor(knorm, handMade({ keyStats }, { rows: 4, kvHeads: 2, budget: 2 }));
  expect(keptLists(plan)).toEqual([
    [
      [0, 2],
      [1, 3],
    ],
  ]);
});
