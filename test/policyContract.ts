import { describe, expect, it } from "vitest";
import { rowBudget } from "@/compression/blocks/budget";
import { range, rowsOutside, rowsPerLayer } from "@/compression/blocks/select";
import { checkPlan } from "@/compression/keepPlan";
import type { OptionValues } from "@/compression/options";
import { planFor } from "@/compression/plan";
import { madeUpInput, type PromptShape, SMALL_PROMPT } from "@/compression/reference/promptFixture";
import { resolveOptions } from "@/compression/resolveOptions";
import type { KeepPlan, PlanInput, Policy } from "@/compression/types";

const RETENTIONS = [0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 0.9, 1];
const SCOPES = ["visual", "prompt"] as const;

/** Defaults, then every other value of every choice, then the shared options together. */
function settings(policy: Policy): [string, OptionValues][] {
  const cases: [string, OptionValues][] = [["defaults", {}]];
  for (const [name, spec] of Object.entries(policy.options)) {
    if (spec.kind === "choice") {
      for (const value of spec.values) {
        if (value !== spec.default) cases.push([`${name} ${value}`, { [name]: value }]);
      }
    } else if (spec.kind === "number") {
      cases.push([`${name} at its least`, { [name]: spec.min }]);
      cases.push([`${name} at its most`, { [name]: spec.max }]);
    }
  }
  if (policy.options.blend) cases.push(["ivc and blend", { protect: "ivc", blend: 0.3 }]);
  const texts = Object.entries(policy.options).flatMap(([name, spec]) =>
    spec.kind === "text" ? [[name, spec.example] as const] : [],
  );
  return cases.map(([name, options]) => [name, { ...Object.fromEntries(texts), ...options }]);
}

function inputFor(
  policy: Policy,
  options: OptionValues,
  shape: PromptShape,
  scope: "visual" | "prompt",
  retention: number,
): PlanInput {
  return madeUpInput(shape, policy.taps(resolveOptions(policy, options)), { retention, scope });
}

/** Taps do not depend on the retention: one prompt, many budgets. */
function withRetention(input: PlanInput, retention: number): PlanInput {
  const budget = rowBudget(retention, input.candidates.length, input.layers);
  return { ...input, retention, budget };
}

/** Scores are there for every row, and nothing that was dropped has more than what was kept by rank. */
function expectScores({ scores, layers }: KeepPlan, input: PlanInput, hasAnchors: boolean): void {
  if (!scores) return;
  const { heads, rows, data } = scores;
  expect([scores.layers, rows]).toEqual([input.layers, input.rows]);
  expect(layers.every(({ keep }) => keep.length === heads)).toBe(true);
  expect(data).toHaveLength(scores.layers * heads * rows);
  expect(data.every(Number.isFinite)).toBe(true);
  const outside = rowsOutside(input);
  for (let line = 0; line < scores.layers * heads; line++) {
    const of = (row: number) => data[line * rows + row]!;
    expect(outside.every((row) => of(row) === 0)).toBe(true);
    if (hasAnchors) continue; // always kept, and not ranked
    const kept = new Set(layers[Math.floor(line / heads)]!.keep[line % heads]);
    const dropped = input.candidates.filter((row) => !kept.has(row));
    const best = Math.max(...Array.from(dropped, of));
    // Only protected rows, the oldest and the newest, may have a lower score than a dropped row.
    for (const row of input.candidates.filter((row) => kept.has(row) && of(row) < best)) {
      const isSink = dropped.every((other) => other > row);
      const isRecent = dropped.every((other) => other < row);
      expect(isSink || isRecent).toBe(true);
    }
  }
}

function expectContract(policy: Policy, input: PlanInput, options: OptionValues): number {
  const plan = planFor(policy, input, options);
  expectScores(plan, input, options.protect === "ivc");
  const outside = rowsOutside(input);
  checkPlan(plan, { ...input, rows: () => input.rows });
  for (const { keep } of plan.layers) {
    for (const rows of keep) {
      expect(outside.every((row) => rows.includes(row))).toBe(true);
    }
  }
  const kept = rowsPerLayer(input, plan);
  const total = kept.reduce((a, b) => a + b, 0);
  const settled = resolveOptions(policy, options);
  if (input.retention === 1 || policy.deviation?.(settled) === undefined) {
    expect(total).toBeCloseTo(input.budget, 9);
  } else if (policy.beforePrefill) {
    const isVisual = (row: number) => input.visual.some((v) => row >= v.start && row < v.end);
    const text = range(0, input.rows).filter((row) => !isVisual(row));
    const [first] = plan.layers;
    for (const layer of plan.layers) expect(layer.keep).toEqual(first!.keep);
    expect([...first!.keep[0]!].filter((row) => !isVisual(row))).toEqual([...text]);
    if (input.visual.length > 0) expect(kept[0]).toBeGreaterThan(0);
  } else {
    expect(kept).toEqual(policy.deviantRows!(input, settled));
  }
  return total;
}

/** Tests of the contract of every policy, for the registry and for the guides' examples. */
export function describeContract(policy: Policy): void {
  describe.each(settings(policy))("%s", (_, options) => {
    it.each(SCOPES)("keeps valid rows within the exact budget, scope %s", (scope) => {
      const prompt = inputFor(policy, options, SMALL_PROMPT, scope, 1);
      const totals = RETENTIONS.map((retention) =>
        expectContract(policy, withRetention(prompt, retention), options),
      );
      const deviates = policy.deviation?.(resolveOptions(policy, options)) !== undefined;
      totals.forEach((total, i) => {
        if (i > 0 && !deviates) expect(total).toBeGreaterThanOrEqual(totals[i - 1]!);
      });
      expect(totals.at(-1)).toBe(prompt.candidates.length * prompt.layers);
    });
  });

  it("keeps the rows that it protects", () => {
    const given = {
      ...(policy.options.sinks && { sinks: 3 }),
      ...(policy.options.recent && { recent: 2 }),
      ...(policy.options.window?.kind === "number" && { window: 6 }),
    };
    const { sinks = 0 } = given;
    const recent = given.window ?? given.recent ?? policy.keepsNewest ?? 0;
    const input = inputFor(policy, given, SMALL_PROMPT, "prompt", 0.6);
    for (const { keep } of planFor(policy, input, given).layers) {
      for (const rows of keep) {
        expect([...rows.slice(0, sinks)]).toEqual([...range(0, sinks)]);
        if (recent > 0) expect([...rows.slice(-recent)]).toEqual([...range(60 - recent, 60)]);
      }
    }
  });

  it("is deterministic and leaves its input alone", () => {
    const input = inputFor(policy, {}, SMALL_PROMPT, "prompt", 0.3);
    const before = structuredClone(input);
    expect(planFor(policy, input)).toEqual(planFor(policy, input));
    expect(input).toEqual(before);
  });

  it("shows what it ranks by, if it ranks", () => {
    const input = inputFor(policy, {}, SMALL_PROMPT, "visual", 0.3);
    const { scores } = planFor(policy, input);
    expect(scores === undefined).toBe(policy.ranks === false);
    if (!scores) return;
    expect(new Set(scores.data).size).toBeGreaterThan(10);
    const blended = planFor(policy, input, { blend: 0.5, protect: "ivc" });
    expect(blended.scores).toMatchObject({ heads: scores.heads, rows: scores.rows });
  });

  it("keeps everything at retention 1", () => {
    const input = inputFor(policy, {}, SMALL_PROMPT, "prompt", 1);
    for (const { keep } of planFor(policy, input).layers) expect(keep[0]).toHaveLength(60);
  });

  it.each<[string, PromptShape]>([
    ["one token", { ...SMALL_PROMPT, rows: 1, visual: [], textStart: 0 }],
    ["two tokens", { ...SMALL_PROMPT, rows: 2, visual: [], textStart: 1 }],
    ["text only", { ...SMALL_PROMPT, rows: 20, visual: [], textStart: 1 }],
    [
      "only an image",
      { ...SMALL_PROMPT, rows: 24, visual: [{ start: 0, end: 24 }], textStart: 24 },
    ],
    ["one visual row", { ...SMALL_PROMPT, rows: 9, visual: [{ start: 3, end: 4 }], textStart: 4 }],
    [
      "two images",
      {
        ...SMALL_PROMPT,
        visual: [
          { start: 3, end: 20 },
          { start: 26, end: 44 },
        ],
        textStart: 44,
      },
    ],
    [
      "one word of text",
      { ...SMALL_PROMPT, rows: 30, visual: [{ start: 0, end: 29 }], textStart: 29 },
    ],
    ["one layer, one head", { ...SMALL_PROMPT, layers: 1, heads: 1, kvHeads: 1 }],
  ])("manages a prompt of %s", (_, shape) => {
    for (const scope of SCOPES) {
      const prompt = inputFor(policy, {}, shape, scope, 1);
      for (const retention of [0.01, 0.3, 0.99]) {
        expectContract(policy, withRetention(prompt, retention), {});
      }
    }
  });
}
