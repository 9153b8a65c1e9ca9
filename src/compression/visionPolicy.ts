import { roundHalfEven } from "./blocks/budget";
import { definePolicy, type PolicySpec } from "./definePolicy";
import type { OptionSpecs, ValuesOf } from "./options";
import { keepAll } from "./sharedOptions";
import type { LayerPlan, PlanInput, PlanNotice, Policy, SmallerGrid, VisionTaps } from "./types";

/** A choice of visual rows, counted over all images of the span. */
export interface VisualChoice {
  /** Ascending. */
  readonly keep: readonly number[];
  /** [visual rows]: the kept row whose features take the mean with this row's; −1: it is dropped. */
  readonly into?: Int32Array;
  /** These three as in `KeepPlan`. */
  readonly smaller?: readonly SmallerGrid[];
  readonly addsFeatures?: true;
  readonly notices?: readonly PlanNotice[];
}

/** A policy that chooses before the prefill. */
interface VisionSpec<S extends OptionSpecs>
  extends Pick<PolicySpec<S>, "id" | "label" | "summary" | "paper" | "release" | "options"> {
  readonly beforePrefill: readonly (keyof VisionTaps)[];
  /** How the kept rows differ in number from the retention's share; absent: they do not. */
  readonly count?: string;
  /** @param rows the retention's share of the visual rows, at least 1 */
  choose(input: PlanInput, rows: number, options: ValuesOf<S>): VisualChoice;
}

/**
 * Makes a policy of a choice of visual rows: all layers keep the same rows, and all of the text. The rows
 * of scope `prompt` that are text are kept beyond the retention.
 */
export function visionPolicy<S extends OptionSpecs>(spec: VisionSpec<S>): Policy {
  const { choose, count, ...rest } = spec;
  return definePolicy<S>({
    ...rest,
    shared: "none",
    ranks: false,
    taps: () => ({}),
    deviation: () =>
      `Chosen before the prefill: all layers keep the same rows, and all text. ${count ?? ""}`.trim(),
    plan(input, options) {
      if (input.visual.length === 0) return keepAll(input);
      const choice = choose(input, visualShare(input), options);
      const { smaller, addsFeatures, notices } = choice;
      return {
        layers: new Array<LayerPlan>(input.layers).fill(layerPlan(input, choice)),
        ...(smaller && { smaller }),
        ...(addsFeatures && { addsFeatures }),
        ...(notices && { notices }),
      };
    },
  });
}

/** A tap that a policy has named. */
export function needVision<K extends keyof VisionTaps>(
  { vision }: PlanInput,
  name: K,
): NonNullable<VisionTaps[K]> {
  const tap = vision?.[name];
  if (tap !== undefined) return tap as NonNullable<VisionTaps[K]>;
  throw new RangeError(`the vision tap ${name} was not recorded`);
}

/** All visual rows, as rows of the span. */
function visualRows({ visual }: PlanInput): readonly number[] {
  return visual.flatMap(({ start, end }) =>
    Array.from({ length: end - start }, (_, i) => start + i),
  );
}

function visualShare(input: PlanInput): number {
  return Math.max(1, roundHalfEven(input.retention * visualRows(input).length));
}

function layerPlan(input: PlanInput, { keep, into }: VisualChoice): LayerPlan {
  const visual = visualRows(input);
  const dropped = new Set(visual);
  for (const place of keep) dropped.delete(visual[place] as number);
  const kept = Uint32Array.from({ length: input.rows }, (_, row) => row).filter(
    (row) => !dropped.has(row),
  );
  if (!into) return { keep: [kept] };
  const rows = new Int32Array(input.rows).fill(-1);
  for (const [place, target] of into.entries()) {
    if (target >= 0) rows[visual[place] as number] = visual[target] as number;
  }
  return { keep: [kept], merge: { kind: "assign", into: [rows], rule: "mean" } };
}
