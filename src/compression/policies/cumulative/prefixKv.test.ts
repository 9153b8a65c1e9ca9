import { describe, expect, it } from "vitest";
import { forgetShares } from "@/text/forgetShares";
import { rowsPerLayer } from "../../blocks/select";
import { planFor } from "../../plan";
import { RowLedger } from "../../reference/decodeReference";
import { handMade, keptLists, recordedRows } from "../../reference/promptFixture";
import { resolveOptions } from "../../resolveOptions";
import { PolicyError } from "../../types";
import { prefixKv } from "./prefixKv";

const flat = [1, 1, 1, 1, 1, 1, 1, 1, 1, 1];
const peaked = [20, 1, 9, 1, 1, 1, 1, 1, 1, 1];
const columnSum = recordedRows([[flat], [peaked]]);
const input = handMade({ columnSum }, { rows: 10, layers: 2, budget: 10 });

describe("PrefixKV", () => {
  it("gives every layer the same share of its attention mass", () => {
    const rows = rowsPerLayer(input, planFor(prefixKv, input));
    expect(rows).toEqual([8, 2]);
    const shareOf = (scores: number[], count: number) =>
      scores
        .toSorted((a, b) => b - a)
        .slice(0, count)
        .reduce((a, b) => a + b, 0) / scores.reduce((a, b) => a + b, 0);
    const gap = Math.abs(shareOf(flat, 8) - shareOf(peaked, 2));
    expect(gap).toBeLessThan(0.02);
  });

  it("protects one sink and the newest row", () => {
    const low = handMade(
      { columnSum: recordedRows([[[0, 9, 9, 9, 9, 9, 9, 0]]]) },
      {
        rows: 8,
        budget: 4,
      },
    );
    expect(keptLists(planFor(prefixKv, low))).toEqual([[[0, 1, 2, 7]]]);
  });

  it("reads calibrated fractions", () => {
    const plan = planFor(prefixKv, input, { search: "config", forget: "0.25,0.6" });
    expect(rowsPerLayer(input, plan)).toEqual([8, 4]);
    expect(() => planFor(prefixKv, input, { search: "config", forget: "0.5" })).toThrow(
      PolicyError,
    );
  });

  it("averages plans into a configuration that keeps the same share", () => {
    const other = handMade(
      { columnSum: recordedRows([[peaked], [peaked]]) },
      { rows: 10, layers: 2, budget: 10 },
    );
    const samples = [input, other].map((each) => ({
      layers: rowsPerLayer(each, planFor(prefixKv, each)).map((rowsAfter) => {
        return { rowsBefore: 10, rowsAfter };
      }),
      scope: "prompt" as const,
      promptTokens: 10,
      visualTokens: 0,
    }));
    const mean = forgetShares(samples);
    expect(mean.reduce((a, b) => a + b, 0) / 2).toBeCloseTo(0.5, 9);
    const plan = planFor(prefixKv, input, { search: "config", forget: mean.join(",") });
    expect(rowsPerLayer(input, plan).reduce((a, b) => a + b, 0)).toBeCloseTo(10, -1);
  });

  it("evicts at one place of each layer while decoding", () => {
    const options = { distance: 2 };
    const plan = planFor(prefixKv, input, options);
    const rule = prefixKv.decode!(input, plan, resolveOptions(prefixKv, options));
    const ledger = new RowLedger(
      rule,
      plan.layers.map(({ keep }) => keep[0]!),
    );
    for (let step = 0; step < 10; step++) ledger.step(10 + step, 11 + step);
    expect(ledger.layers[0]!.ids.slice(0, 2)).toEqual([0, 1]);
    expect(ledger.layers.map(({ ids }) => ids.length)).toEqual([16, 4]);
    expect(ledger.layers[1]!.ids.at(-1)).toBe(19);
  });
});
