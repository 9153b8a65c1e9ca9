import { describe, expect, it } from "vitest";
import { range, rowsPerLayer } from "./blocks/select";
import { planFor } from "./plan";
import { handMade, keptLists, madeUpInput, SMALL_PROMPT } from "./reference/promptFixture";
import { policyById } from "./registry";
import { positionAnchors } from "./sharedOptions";
import { PolicyError } from "./types";

describe("protect: ivc", () => {
  const visual = [{ start: 3, end: 43 }];
  const rotary = { theta: 10000, headDim: 8 };
  const input = handMade({}, { rows: 50, layers: 2, budget: 60, visual, textStart: 43, rotary });

  it("chooses the tenth of the image by cosine and the tenth by sine", () => {
    const { rows } = positionAnchors(input);
    const score = (wave: (angle: number) => number) => (row: number) =>
      [0, 1, 2, 3].reduce((sum, k) => sum + wave(row * 10000 ** (-k / 4)), 0);
    const best = (wave: (angle: number) => number) =>
      [...range(3, 43)].sort((a, b) => score(wave)(b) - score(wave)(a)).slice(0, 4);
    expect(new Set(rows)).toEqual(new Set([...best(Math.cos), ...best(Math.sin)]));
  });

  it("keeps them in every layer of any policy, within the same total", () => {
    const { rows } = positionAnchors(input);
    const plan = planFor(policyById("streaming"), input, { protect: "ivc" });
    for (const [kept] of keptLists(plan)) expect(kept).toEqual(expect.arrayContaining([...rows]));
    expect(rowsPerLayer(input, plan)).toEqual([30, 30]);
  });

  it("takes at most half of the budget and says so", () => {
    const plan = planFor(policyById("streaming"), { ...input, budget: 12 }, { protect: "ivc" });
    expect(rowsPerLayer(input, plan)).toEqual([6, 6]);
    expect(plan.notices).toEqual([
      { code: "fewerAnchors", asked: expect.any(Number), used: 3 },
      { code: "fewerProtected", asked: 4, rows: 3 },
    ]);
  });

  it("needs the rotary settings", () => {
    const { rotary: _, ...without } = input;
    expect(() => planFor(policyById("uniform"), without, { protect: "ivc" })).toThrow(PolicyError);
  });
});

describe("blend", () => {
  const prefixKv = policyById("prefixkv");
  const input = madeUpInput(
    { ...SMALL_PROMPT, seed: 3 },
    { columnSum: true },
    { retention: 0.3, scope: "prompt" },
  );
  const rowsAt = (blend: number) => rowsPerLayer(input, planFor(prefixKv, input, { blend }));
  const total = (rows: number[]) => rows.reduce((a, b) => a + b, 0);

  it("moves the layer budgets towards even ones and keeps the total", () => {
    const own = rowsAt(0);
    expect(new Set(own).size).toBeGreaterThan(1);
    expect(rowsAt(1)).toEqual([18, 18, 18, 18]);
    const half = rowsAt(0.5);
    expect(total(half)).toBe(total(own));
    own.forEach((rows, layer) => {
      expect(Math.abs(half[layer]! - (rows + 18) / 2)).toBeLessThan(1);
    });
  });

  it("is refused with a variant that keeps no exact total", () => {
    const options = { blend: 0.5, search: "released" };
    expect(() => planFor(prefixKv, input, options)).toThrow(/exact budget only/);
  });
});
