import { expect, it } from "vitest";
import { range } from "../../blocks/select";
import { planFor } from "../../plan";
import { handMade, keptLists, recordedRows } from "../../reference/promptFixture";
import { lookM } from "./lookM";

const columnSum = recordedRows([[[1, 9, 8, 7, 6, 0.1, 0.2, 0.1]]]);
const image = { visual: [{ start: 1, end: 5 }], textStart: 5 };

it("keeps text before image rows, however light it is", () => {
  const input = handMade({ columnSum }, { rows: 8, budget: 4, ...image });
  expect(keptLists(planFor(lookM, input))).toEqual([[[0, 5, 6, 7]]]);
});

it("fills up with the heaviest image rows and merges by key", () => {
  const input = handMade({ columnSum }, { rows: 8, budget: 6, ...image });
  const plan = planFor(lookM, input, { recentShare: 0 });
  expect(keptLists(plan)).toEqual([[[0, 1, 2, 5, 6, 7]]]);
  expect(plan.layers[0]!.merge).toEqual({ kind: "nearestKey", rule: "pivot" });
});

it("merges among the candidates only", () => {
  const candidates = range(1, 5);
  const input = handMade({ columnSum }, { rows: 8, budget: 2, candidates, ...image });
  const { merge } = planFor(lookM, input, { merge: "average" }).layers[0]!;
  expect(merge).toEqual({ kind: "nearestKey", rule: "mean", among: candidates });
});

it("keeps text beyond its counts in EffiVLM-Bench's variant", () => {
  const input = handMade({ columnSum }, { rows: 8, budget: 2, ...image });
  const plan = planFor(lookM, input, { variant: "effivlm", recentShare: 0.1 });
  expect(keptLists(plan)).toEqual([[[0, 5, 6, 7]]]);
});
