import fs from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import { rowBudget } from "@/compression/blocks/budget";
import { planFor } from "@/compression/plan";
import { POLICIES } from "@/compression/registry";
import { resolveOptions } from "@/compression/resolveOptions";
import type { TapSpec, Taps } from "@/compression/taps/registry";
import type { RowScores } from "@/compression/taps/tap";
import type { KeepPlan, PlanInput, Policy } from "@/compression/types";
import { PLAIN } from "@/gpu/variants";
import { TapRecorder } from "@/model/taps/taps";
import { createTestGpu } from "./dawn";
import {
  FIXTURES,
  type FixtureCase,
  type FixtureModel,
  loadDecoder,
  prepare,
} from "./decoderFixtures";

/**
 * The whole chain decoder → taps → policy on the GPU against PyTorch's attention → the same policy:
 * the same rows, apart from ties within float error, which are counted and printed.
 */

interface PolicyCase {
  readonly name: string;
  readonly model: string;
  readonly layers: number;
  readonly kvHeads: number;
  readonly rows: number;
  readonly windowRows: number;
  readonly imageSpans: readonly (readonly [number, number])[];
  readonly ids: readonly number[];
  readonly file: string;
  readonly sections: Readonly<
    Record<string, { readonly offset: number; readonly shape: readonly number[] }>
  >;
}

const ROOT = new URL("../fixtures/policy-e2e/", import.meta.url);
const CASES: readonly PolicyCase[] = JSON.parse(
  fs.readFileSync(new URL("index.json", ROOT), "utf8"),
).cases;

/** Relative error of a float32 sum of some hundred probabilities, with room for f16 weights' noise. */
const TAP_TOLERANCE = 1e-3;
/** Share of the kept rows that may be swapped at the cut because their scores tie within that error. */
const TIED_SHARE = 0.005;

const SPEC: TapSpec = {
  columnSum: true,
  lastRow: true,
  window: { rows: 32, aggregate: "mean", kernel: 5 },
};

function readSection(test: PolicyCase, name: string): Float32Array<ArrayBuffer> {
  const { offset, shape } = test.sections[name]!;
  const bytes = new Uint8Array(fs.readFileSync(new URL(test.file, ROOT)));
  return new Float32Array(
    bytes.buffer,
    offset * 4,
    shape.reduce((a, b) => a * b, 1),
  );
}

function referenceTaps(test: PolicyCase): Taps {
  const scores = (name: string, scale = 1): RowScores => ({
    layers: test.layers,
    heads: test.kvHeads,
    rows: test.rows,
    data: readSection(test, name).map((value) => value * scale),
  });
  return {
    columnSum: scores("columnSum"),
    lastRow: scores("lastRow"),
    window: scores("windowSum", 1 / test.windowRows),
  };
}

/** A window reaches no further than the text after the image; PyTorch's always holds 32 rows. */
function hasWindow(test: PolicyCase): boolean {
  return test.rows - (test.imageSpans.at(-1)?.[1] ?? 0) >= test.windowRows;
}

/** Policies whose taps, with their defaults, are among those that PyTorch recorded. */
function coveredPolicies(test: PolicyCase): readonly Policy[] {
  return POLICIES.filter((policy) => {
    const { columnSum: _, lastRow: __, window, ...others } = policy.taps(resolveOptions(policy));
    const isMean = window?.rows === test.windowRows && window.aggregate === "mean";
    const known = window === undefined || (isMean && hasWindow(test));
    return known && Object.keys(others).length === 0 && !policy.beforePrefill;
  });
}

function inputOf(test: PolicyCase, taps: Taps, retention: number): PlanInput {
  const visual = test.imageSpans.map(([start, end]) => ({ start, end }));
  const candidates = Uint32Array.from(
    visual.flatMap(({ start, end }) => Array.from({ length: end - start }, (_, i) => start + i)),
  );
  const { layers, kvHeads, rows } = test;
  return {
    ...{ layers, kvHeads, rows, visual, candidates, retention, taps },
    textStart: visual.at(-1)?.end ?? 0,
    budget: rowBudget(retention, candidates.length, layers),
    seed: 1,
  };
}

/** Rows that one plan keeps and the other does not, over all layers and lists. */
function differingRows(a: KeepPlan, b: KeepPlan): { differing: number; kept: number } {
  let differing = 0;
  let kept = 0;
  for (const [layer, { keep }] of a.layers.entries()) {
    for (const [head, rows] of keep.entries()) {
      const other = new Set(b.layers[layer]!.keep[head]!);
      kept += rows.length;
      differing += rows.filter((row) => !other.has(row)).length;
    }
  }
  return { differing, kept };
}

describe.each(CASES)("$name", (test) => {
  const taps: { gpu?: Taps } = {};
  const expected = referenceTaps(test);

  it("records PyTorch's attention", async () => {
    const gpu = await createTestGpu();
    const model = FIXTURES.find(({ path }) => path === test.model) as FixtureModel;
    const decoder = await loadDecoder(gpu, model, PLAIN);
    const cache = decoder.createCache();
    const features = test.sections.features && readSection(test, "features");
    const prompt = prepare(decoder, {
      ...promptCase(model, test),
      ids: test.ids,
      imageSpans: test.imageSpans,
    });
    if (features) gpu.device.queue.writeBuffer(prompt.buffer, 0, features);
    const hook = await TapRecorder.create(gpu, {
      cache,
      heads: decoder.config.heads,
      spec: SPEC,
      prompt: {
        rows: test.rows,
        visual: test.imageSpans.map(([start, end]) => ({ start, end })),
        textStart: test.imageSpans.at(-1)?.[1] ?? 0,
      },
      reduction: PLAIN.reduction,
    });
    await decoder.prefill({ cache, ...prompt, hook });
    taps.gpu = await hook.finish();
    const names = hasWindow(test)
      ? (["columnSum", "lastRow", "window"] as const)
      : (["columnSum", "lastRow"] as const);
    for (const name of names) {
      const [got, want] = [taps.gpu[name]!.data, expected[name]!.data];
      const largest = want.reduce((max, value) => Math.max(max, value), 0);
      const error = want.reduce((max, value, i) => Math.max(max, Math.abs(value - got[i]!)), 0);
      expect(error / largest, name).toBeLessThan(TAP_TOLERANCE);
    }
    afterAll(() => gpu.device.destroy());
  });

  it.each([0.5, 0.1])(
    "picks the rows that its policies pick from PyTorch's attention, keeping %d",
    (retention) => {
      const covered = coveredPolicies(test);
      expect(covered.length).toBeGreaterThanOrEqual(6);
      const ties: string[] = [];
      for (const policy of covered) {
        const mine = planFor(policy, inputOf(test, taps.gpu!, retention));
        const theirs = planFor(policy, inputOf(test, expected, retention));
        const { differing, kept } = differingRows(mine, theirs);
        if (differing > 0) ties.push(`${policy.id} ${differing} of ${kept}`);
        expect(differing, policy.id).toBeLessThanOrEqual(Math.ceil(TIED_SHARE * kept));
      }
      console.info(`${test.name}, keep ${retention}: ties ${ties.join(", ") || "none"}`);
    },
  );
});

/** The 600-row case of the model carries the scale of its features. */
function promptCase(model: FixtureModel, { rows }: PolicyCase): FixtureCase {
  return model.cases.find((each) => each.rows === rows) ?? model.cases[0]!;
}
