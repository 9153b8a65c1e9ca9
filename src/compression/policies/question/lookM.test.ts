import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { range } from "../../blocks/select";
import { planFor } from "../../plan";
import { floats } from "../../reference/golden/fixture";
import { handMade, keptLists, recordedRows } from "../../reference/promptFixture";
import type { Span } from "../../taps/prompt";
import { lookM } from "./lookM";

const columnSum = recordedRows([[[1, 9, 8, 7, 6, 0.1, 0.2, 0.1]]]);
const image = { visual: [{ start: 1, end: 5 }], textStart: 5 };

it("keeps text before image rows, however light it is", () => {
  const input = handMade({ columnSum }, { rows: 8, budget: 4, ...image });
  expect(keptLists(planFor(lookM, input))).toEqual([[[0, 5, 6, 7]]]);
});

it("keeps text before an image row that nearly every query of a long prompt attends to", () => {
  const rows = 20_000;
  const sums = Array.from({ length: rows }, (_, row) => (row === 0 ? 15_000 : 0.1));
  const input = handMade(
    { columnSum: recordedRows([[sums]]) },
    { rows, budget: 2, visual: [{ start: 0, end: 8 }], textStart: 8 },
  );
  expect(keptLists(planFor(lookM, input))).toEqual([[[8, rows - 1]]]);
});

it("fills up with the heaviest image rows and merges by key", () => {
  const input = handMade({ columnSum }, { rows: 8, budget: 6, ...image });
  const plan = planFor(lookM, input, { recentShare: 0 });
  expect(keptLists(plan)).toEqual([[[0, 1, 2, 5, 6, 7]]]);
  expect(plan.layers[0]!.merge).toEqual({ kind: "nearestKey", rule: "pivot" });
});

it("merges among the candidates only", () => {
  const candidates = range(1, 5);
  const input = handMade({ columnSum }, { rows: 8, budget: 2, candidates, ...image });
  const { merge } = planFor(lookM, input, { merge: "average" }).layers[0]!;
  expect(merge).toEqual({ kind: "nearestKey", rule: "mean", among: candidates });
});

it("stops at EffiVLM-Bench's counts where text alone exceeds them", () => {
  const fixture = JSON.parse(readFileSync("fixtures/kv-golden/lookm_effivlm_01.json", "utf8"));
  const { kv_heads: kvHeads, seq: rows } = fixture.shape;
  const [start, end] = fixture.params.image_span;
  const columnSum = {
    layers: 1,
    heads: kvHeads,
    rows,
    data: floats(fixture.expected.importance),
  };
  const input = handMade(
    { columnSum },
    { rows, kvHeads, budget: 7, retention: 0.2, visual: [{ start, end }], textStart: end },
  );
  const plan = planFor(lookM, input, { variant: "effivlm", recentShare: 0.1 });
  const [lists] = keptLists(plan);
  lists!.forEach((kept, head) => {
    const sums = [...columnSum.data.subarray(head * rows, (head + 1) * rows)];
    expect(kept).toEqual(effivlmRows(sums, { start, end }, 0.2));
    expect(kept).toHaveLength(7);
  });
});

/** EffiVLM-Bench's selection, restated from its code: mask the image, top-k before the recents. */
function effivlmRows(sums: number[], image: Span, budget: number): number[] {
  const recent = Math.max(1, Math.floor(0.1 * budget * sums.length));
  const important = Math.max(1, Math.floor(0.9 * budget * sums.length));
  const masked = sums.map((sum, row) =>
    row >= image.start && row < image.end ? sum - 65516 : sum,
  );
  const older = masked.slice(0, sums.length - recent).map((sum, row) => ({ sum, row }));
  const top = older.sort((a, b) => b.sum - a.sum).slice(0, important);
  const newest = sums.map((_, row) => row).slice(sums.length - recent);
  return [...top.map(({ row }) => row), ...newest].sort((a, b) => a - b);
}
