import { rowBudget } from "../blocks/budget";
import { createRandom } from "../blocks/randomness";
import { range } from "../blocks/select";
import type { Span } from "../taps/prompt";
import type { TapSpec, Taps } from "../taps/registry";
import { tapsFromAttention } from "../taps/registry";
import type { PromptAttention, RowScores } from "../taps/tap";
import type { KeepPlan, PlanInput, VisionTaps, VisualGrid } from "../types";

/** Synthetic prompts for tests: seeded attention with sinks, heavy rows and a local trend. */

export interface PromptShape {
  readonly layers: number;
  /** Query heads. */
  readonly heads: number;
  readonly kvHeads: number;
  readonly rows: number;
  readonly headDim: number;
  readonly visual: readonly Span[];
  readonly textStart: number;
  readonly seed: number;
}

export const SMALL_PROMPT: PromptShape = {
  layers: 4,
  heads: 4,
  kvHeads: 2,
  rows: 60,
  headDim: 8,
  visual: [{ start: 5, end: 46 }],
  textStart: 46,
  seed: 7,
};

const attentions = new Map<string, PromptAttention>();
const recorded = new Map<string, Taps>();

function once<T>(made: Map<string, T>, key: unknown, make: () => T): T {
  const name = JSON.stringify(key);
  const known = made.get(name);
  if (known !== undefined) return known;
  const value = make();
  made.set(name, value);
  return value;
}

/** Cached: the same shape always has the same attention. */
export function madeUpAttention(shape: PromptShape): PromptAttention {
  return once(attentions, shape, () => makeUpAttention(shape));
}

function makeUpAttention(shape: PromptShape): PromptAttention {
  const { layers, heads, kvHeads, rows, headDim, visual, textStart, seed } = shape;
  const draw = createRandom(seed);
  // Deeper layers attend to fewer rows, the same ones for every query.
  const appeal = Array.from({ length: layers }, (_, layer) =>
    Float64Array.from({ length: rows }, () => Math.exp(1.5 * layer * draw())),
  );
  const weights = Array.from({ length: layers * heads }, (_, i) =>
    Array.from({ length: rows }, (_, query) => {
      const sharpness = 1 + (i % heads) / 2;
      const of = appeal[Math.floor(i / heads)]!;
      const raw = Array.from(
        { length: query + 1 },
        (_, key) =>
          Math.exp(sharpness * draw()) * of[key]! * (key === 0 ? 6 : 1) + (query - key < 3 ? 1 : 0),
      );
      const sum = raw.reduce((a, b) => a + b, 0);
      return Float32Array.from(raw, (value) => value / sum);
    }),
  );
  const values = () =>
    Float32Array.from({ length: layers * kvHeads * rows * headDim }, () => draw() * 2 - 1);
  return {
    layers,
    heads,
    kvHeads,
    rows,
    visual,
    textStart,
    attention: (layer, head, query) => weights[layer * heads + head]![query]!,
    keyValues: { kvHeads, rows, headDim, k: values(), v: values() },
  };
}

export function madeUpInput(
  shape: PromptShape,
  spec: TapSpec,
  { retention, scope }: { readonly retention: number; readonly scope: "visual" | "prompt" },
): PlanInput {
  const { layers, kvHeads, rows, visual, textStart, seed } = shape;
  const candidates =
    scope === "prompt"
      ? range(0, rows)
      : Uint32Array.from(visual.flatMap(({ start, end }) => [...range(start, end)]));
  const keys = new Uint8Array(rows);
  for (const row of candidates) keys[row] = 1;
  const taps = once(recorded, [shape, spec, scope], () =>
    tapsFromAttention(spec, { ...madeUpAttention(shape), keys }),
  );
  const budget = rowBudget(retention, candidates.length, layers);
  const rotary = { theta: 10000, headDim: shape.headDim };
  const common = { layers, kvHeads, rows, visual, textStart, candidates, budget, retention };
  return { ...common, taps, vision: madeUpVision(shape), seed, rotary };
}

/** Random features and attention; every fifth row of an image looks like the one before it. */
function madeUpVision({ visual, seed }: PromptShape): VisionTaps {
  const draw = createRandom(seed + 1);
  const rows = visual.reduce((sum, { start, end }) => sum + end - start, 0);
  const width = 8;
  return {
    features: { width, data: Float32Array.from({ length: rows * width }, () => draw() * 2 - 1) },
    attention: Float32Array.from({ length: rows }, draw),
    keys: { width, data: Float32Array.from({ length: rows * width }, () => draw() * 2 - 1) },
    firstEqual: Uint32Array.from({ length: rows }, (_, row) => row - Number(row % 5 === 4)),
    grids: visual.map(({ start, end }) => gridOf(end - start)),
  };
}

/** The widest grid of so many rows that is not wider than high. */
function gridOf(rows: number): VisualGrid {
  let gridColumns = Math.max(1, Math.floor(Math.sqrt(rows)));
  while (rows % gridColumns !== 0) gridColumns--;
  return { gridRows: rows / gridColumns, gridColumns };
}

/** [layer][head][row] as the engine records it. */
export function recordedRows(values: readonly (readonly (readonly number[])[])[]): RowScores {
  const layers = values.length;
  const heads = values[0]!.length;
  const rows = values[0]![0]!.length;
  return { layers, heads, rows, data: Float32Array.from(values.flat(2)) };
}

/** A prompt whose taps a test writes by hand. Every row is a candidate by default. */
export function handMade(
  taps: Taps,
  given: Partial<PlanInput> & { readonly rows: number; readonly budget: number },
): PlanInput {
  const { rows, budget, layers = 1, kvHeads = 1 } = given;
  const candidates = given.candidates ?? range(0, rows);
  const retention = budget / (candidates.length * layers);
  const text = { visual: [], textStart: Math.max(0, rows - 1) };
  return { ...text, layers, kvHeads, candidates, retention, seed: 1, ...given, taps };
}

/** [layer][list][rows] of a plan, as plain lists. */
export function keptLists(plan: KeepPlan): number[][][] {
  return plan.layers.map(({ keep }) => keep.map((rows) => [...rows]));
}
