import { expect, it } from "vitest";
import { planFor } from "@/compression/plan";
import { handMade, keptLists, recordedRows } from "@/compression/reference/promptFixture";
import { valueNorm } from "./valueNorm";

it("keeps the values with the largest norm", () => {
  const norms = recordedRows([[[3, 1, 4, 2]]]);
  const keyStats = { keyNorm: norms, valueNorm: norms, keyCosine: norms, meanKeyNorm2: Float32Array.of(0) };
  const plan = planFor(valueNorm, handMade({ keyStats }, { rows: 4, budget: 2 }));
  expect(keptLists(plan)).toEqual([[[0, 2]]]);
});
