import { expect, it } from "vitest";
import { planFor } from "../../plan";
import { RowLedger } from "../../reference/decodeReference";
import { handMade, keptLists, recordedRows } from "../../reference/promptFixture";
import { resolveOptions } from "../../resolveOptions";
import { tova } from "./tova";

const lastRow = recordedRows([
  [
    [0.3, 0, 0.1, 0.2, 0, 0.1],
    [0.1, 0, 0.5, 0.2, 0, 0.1],
  ],
]);
const input = handMade({ lastRow }, { rows: 6, kvHeads: 2, budget: 4 });

it("keeps what the newest query sees, averaged over the heads", () => {
  expect(keptLists(planFor(tova, input))).toEqual([[[0, 2, 3, 5]]]);
});

it("evicts the row that each new query sees least", () => {
  const rule = tova.decode!(input, planFor(tova, input), resolveOptions(tova, {}));
  const ledger = new RowLedger(rule, [[0, 2, 3, 5]]);
  ledger.step(6, 7, [[0.3, 0.3, 0.01, 0.3, 0]]);
  expect(ledger.layers[0]!.ids).toEqual([0, 2, 5, 6]);
});
