import { expect, it } from "vitest";
import { planFor } from "../../plan";
import { handMade, keptLists } from "../../reference/promptFixture";
import { uniform } from "./uniform";

it("leaves equal gaps, the same in every layer", () => {
  const plan = planFor(uniform, handMade({}, { rows: 12, layers: 2, budget: 8 }));
  expect(keptLists(plan)).toEqual([[[1, 4, 7, 10]], [[1, 4, 7, 10]]]);
});
