import { describe, expect, it } from "vitest";
import { rowsPerLayer } from "../../blocks/select";
import { planFor } from "../../plan";
import { RowLedger } from "../../reference/decodeReference";
import { handMade, keptLists, recordedRows } from "../../reference/promptFixture";
import { resolveOptions } from "../../resolveOptions";
import { tgvKv } from "./tgvKv";

const visual = [0, 0, 5, 9, 1, 7, 0, 0, 0, 0];
const sums = [3, 0.1, 9, 9, 9, 9, 0.1, 0.2, 0.1, 0.1];
const input = handMade(
  {
    columnSum: recordedRows([[sums], [sums]]),
    textImage: {
      visualShare: Float32Array.of(3, 1),
      textWeight: recordedRows([[[1, 1, 1, 1]], [[1, 1, 1, 1]]]),
      visualScore: recordedRows([[visual], [visual]]),
    },
  },
  { rows: 10, layers: 2, budget: 12, visual: [{ start: 2, end: 6 }], textStart: 6 },
);
const options = resolveOptions(tgvKv, { sinks: 1 });

describe("TGV-KV", () => {
  it("gives layers rows by their share of text-to-image attention", () => {
    expect(rowsPerLayer(input, planFor(tgvKv, input, { sinks: 1 }))).toEqual([9, 3]);
  });

  it("drops text only after all visual rows", () => {
    expect(keptLists(planFor(tgvKv, input, { sinks: 1 }))).toEqual([
      [[0, 1, 2, 3, 5, 6, 7, 8, 9]],
      [[0, 7, 9]],
    ]);
  });

  it("evicts between the sinks and as many newest rows as the question kept", () => {
    const plan = planFor(tgvKv, input, { sinks: 1 });
    const rule = tgvKv.decode!(input, plan, options);
    const ledger = new RowLedger(
      rule,
      plan.layers.map(({ keep }) => keep[0]!),
    );
    const row = (length: number) => Array.from({ length }, (_, i) => (i === 3 ? 0 : 0.1));
    for (let step = 0; step < 10; step++) {
      ledger.step(10 + step, 11 + step, [row(12), row(12)]);
    }
    expect(ledger.layers[0]!.ids.slice(-10)).toEqual([10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
    expect(ledger.layers[1]!.ids[0]).toBe(0);
    expect(ledger.layers[1]!.ids.length).toBeLessThan(3 + 10);
  });
});
