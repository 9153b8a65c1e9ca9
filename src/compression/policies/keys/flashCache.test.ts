import { expect, it } from "vitest";
import { planFor } from "../../plan";
import { handMade, keptLists, recordedRows } from "../../reference/promptFixture";
import { flashCache } from "./flashCache";

it("keeps outliers, more of them where high frequencies carry more energy", () => {
  const outliers = [0, 9, 0, 8, 0, 7, 0, 6];
  const spectral = {
    deviation: recordedRows([[outliers], [outliers]]),
    highShare: Float32Array.of(0.3, 0.1),
  };
  const input = handMade({ spectral }, { rows: 8, layers: 2, budget: 4 });
  expect(keptLists(planFor(flashCache, input))).toEqual([[[1, 3, 5]], [[1]]]);
});
