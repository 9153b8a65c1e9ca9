import { describe, expect, it } from "vitest";
import { planFor } from "../../plan";
import { RowLedger } from "../../reference/decodeReference";
import { handMade, keptLists, recordedRows } from "../../reference/promptFixture";
import { resolveOptions } from "../../resolveOptions";
import { h2o } from "./h2o";

const columnSum = recordedRows([
  [
    [9, 1, 8, 1, 1, 1, 1, 0.5],
    [1, 7, 1, 6, 1, 1, 1, 0.5],
  ],
]);
const input = handMade({ columnSum }, { rows: 8, kvHeads: 2, budget: 4 });

describe("H2O", () => {
  it("keeps heavy hitters and recents, half and half, per head", () => {
    expect(keptLists(planFor(h2o, input))).toEqual([
      [
        [0, 2, 6, 7],
        [1, 3, 6, 7],
      ],
    ]);
  });

  it("can divide by the queries that see a row", () => {
    const even = handMade(
      { columnSum: recordedRows([[[4, 3.5, 3, 2.8, 0.4, 1.5, 1, 0.5]]]) },
      {
        rows: 8,
        budget: 2,
      },
    );
    const options = { recentShare: 0 };
    expect(keptLists(planFor(h2o, even, options))).toEqual([[[0, 1]]]);
    expect(keptLists(planFor(h2o, even, { ...options, scores: "visible" }))).toEqual([
      [[3, 0].sort()],
    ]);
  });

  it("evicts the lightest older row while decoding", () => {
    const plan = planFor(h2o, input);
    const rule = h2o.decode!(input, plan, resolveOptions(h2o, {}));
    const ledger = new RowLedger(rule, [[0, 2, 6, 7]], [Float64Array.of(9, 8, 1, 0.5)]);
    ledger.step(8, 9, [[0, 0, 0, 0, 1]]);
    expect(ledger.layers[0]!.ids).toEqual([0, 2, 7, 8]);
  });
});
