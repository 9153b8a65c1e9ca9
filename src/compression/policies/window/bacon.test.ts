import { expect, it } from "vitest";
import { planFor } from "../../plan";
import { handMade, keptLists, recordedRows } from "../../reference/promptFixture";
import { bacon } from "./bacon";
import { snapKv } from "./snapKv";

const rows = 14;
const votes = [0.2, 0.19, 0.18, 0.02, 0.02, 0.02, 0.02, 0.02, 0.1, 0.11, 0.1, 0.02, 0, 0];
/** Only the last query attends to rows 8 to 10. */
const last = [0.1, 0.1, 0.1, 0.02, 0.02, 0.02, 0.02, 0.02, 0.5, 0.6, 0.5, 0.02, 0, 0];

it("lifts a coherent region that only the last query sees", () => {
  const taps = { window: recordedRows([[votes]]), lastRow: recordedRows([[last]]) };
  const input = handMade(taps, { rows, budget: 5 });
  const options = { window: 2, kernel: 1 };
  expect(keptLists(planFor(snapKv, input, options))).toEqual([[[0, 1, 2, 12, 13]]]);
  expect(keptLists(planFor(bacon, input, { ...options, strength: 2 }))).toEqual([
    [[8, 9, 10, 12, 13]],
  ]);
});

it("remembers the evidence of earlier layers", () => {
  const quiet = votes.map(() => 0);
  const taps = {
    window: recordedRows([[votes], [votes]]),
    lastRow: recordedRows([[last], [quiet]]),
  };
  const input = handMade(taps, { rows, layers: 2, budget: 10 });
  const options = { window: 2, kernel: 1, strength: 4 };
  const traced = keptLists(planFor(bacon, input, options))[1]![0];
  const forgotten = keptLists(planFor(bacon, input, { ...options, trace: 0 }))[1]![0];
  expect(traced).toContain(9);
  expect(forgotten).not.toContain(9);
});
