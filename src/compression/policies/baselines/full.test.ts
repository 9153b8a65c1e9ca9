import { expect, it } from "vitest";
import { planFor } from "../../plan";
import { handMade, keptLists } from "../../reference/promptFixture";
import { full } from "./full";

it("keeps every row whatever the retention", () => {
  const plan = planFor(full, handMade({}, { rows: 4, layers: 2, budget: 2 }));
  expect(keptLists(plan)).toEqual([[[0, 1, 2, 3]], [[0, 1, 2, 3]]]);
});
