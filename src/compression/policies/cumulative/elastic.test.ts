import { describe, expect, it } from "vitest";
import { foldRows } from "../../blocks/merge";
import { planFor } from "../../plan";
import { RowLedger } from "../../reference/decodeReference";
import { handMade, keptLists, recordedRows } from "../../reference/promptFixture";
import { resolveOptions } from "../../resolveOptions";
import { elastic } from "./elastic";
import { officialSelection } from "./elasticSelection";

const columnSum = recordedRows([[[9, 1, 8, 1, 1, 1, 7, 1, 1, 1]]]);
const input = handMade({ columnSum }, { rows: 10, budget: 4 });

describe("Elastic Cache", () => {
  it("folds every dropped row into the nearest anchor, none into sink or newest", () => {
    const plan = planFor(elastic, input);
    expect(keptLists(plan)).toEqual([[[0, 2, 6, 9]]]);
    const { merge } = plan.layers[0]!;
    expect(merge?.kind === "assign" && [...merge.into[0]!]).toEqual([
      -1, 2, -1, 2, 2, 6, -1, 6, 6, -1,
    ]);
    const values = Float32Array.from({ length: 10 }, (_, row) => row);
    expect([...foldRows(plan.layers[0]!, 0, { values, keys: values, dim: 1 })]).toEqual([
      0, 2.5, 6.5, 9,
    ]);
  });

  it("only drops when asked to", () => {
    expect(planFor(elastic, input, { merge: "drop" }).layers[0]!.merge).toBeUndefined();
  });

  it("averages over the queries that see a row when asked to", () => {
    const late = handMade(
      { columnSum: recordedRows([[[9, 4, 3, 2.5, 2, 2, 2, 1.9, 1.8, 1]]]) },
      {
        rows: 10,
        budget: 3,
      },
    );
    expect(keptLists(planFor(elastic, late))).toEqual([[[0, 1, 9]]]);
    expect(keptLists(planFor(elastic, late, { scores: "mean" }))).toEqual([[[0, 8, 9]]]);
  });

  it("reads the release's argsort as a permutation, one row short", () => {
    const scores = Float64Array.of(9, 5, 4, 3, 2, 1, 0);
    const { order, anchors, kept } = officialSelection(scores, 3, { sinks: 1, recent: 1 });
    expect([...order]).toEqual([4, 3, 2, 1, 0]);
    expect([...anchors]).toEqual([1]);
    expect([...kept]).toEqual([0, 1, 6]);
  });

  it("keeps all protected newest rows under the release's argsort, too", () => {
    const plan = planFor(elastic, input, { selection: "official", recent: 3 });
    expect(keptLists(plan)).toEqual([[[0, 7, 8, 9]]]);
  });

  it("evicts at a fixed place, and reports it where that leaves the cache", () => {
    const play = (options: Record<string, string | number>) => {
      const plan = planFor(elastic, input, options);
      const rule = elastic.decode!(input, plan, resolveOptions(elastic, options));
      const ledger = new RowLedger(rule, [plan.layers[0]!.keep[0]!]);
      for (let step = 0; step < 5; step++) ledger.step(10 + step, 11 + step);
      return ledger.layers[0]!.ids;
    };
    expect(play({ distance: 2 })).toEqual([0, 2, 11, 12, 13, 14]);
    expect(play({})).toEqual([0, 10, 11, 12, 13, 14]);
    expect(() => play({ shortPrompt: "fail" })).toThrow("outside of a cache");
  });
});
