import { planFor } from "@/compression/plan";
import type { TapSpec, Taps } from "@/compression/taps/registry";
import type { VisionTaps } from "@/compression/types";
import type { RowCounts } from "@/model/kv/layout";
import type { CacheSettings } from "@/protocol/request";
import type { PlanPreview } from "@/protocol/result";
import { cacheBytes, rowsAfter } from "../request/cacheBytes";
import { type ModelShape, type PrefillSpan, planInput, tapsWithin } from "../request/prefillSpan";
import { bad, checkSettings } from "../request/request";

/** The recording of the last prefill, for planning again under other settings. */
export interface Recorded {
  readonly span: PrefillSpan;
  readonly spec: TapSpec;
  readonly taps: Taps;
  /** The elite tap depends on the candidates, so it is valid for its own scope only. */
  readonly scope: CacheSettings["scope"];
  readonly seed: number;
  readonly vision?: VisionTaps | undefined;
  /** Rows cached before the prefill. */
  readonly before: RowCounts;
}

/**
 * What `settings` would keep of the last prompt.
 * @throws EngineError where they need attention that was not recorded; PolicyError
 */
export function previewPlan(
  recorded: Recorded,
  shape: ModelShape,
  rowBytes: number,
  settings: CacheSettings,
): PlanPreview {
  const { policy, options } = checkSettings(settings);
  const needed = tapsWithin(policy.taps(options), recorded.span);
  const { vision } = recorded;
  const isSeen = policy.beforePrefill?.every((name) => vision?.[name] !== undefined) ?? true;
  if (!isSeen || !covers(recorded, needed, settings.scope)) {
    throw bad(
      `Ask once with ${policy.label} to preview it: it needs attention that was not recorded.`,
    );
  }
  const { span, taps, seed, before } = recorded;
  const plan = planFor(policy, planInput({ span, shape, settings, taps, seed, vision }), options);
  return {
    layers: plan.layers.map(({ keep }) => ({
      rows: keep.reduce((sum, { length }) => sum + length, 0) / keep.length,
      kept: positionsOf(keep, span.start),
    })),
    kvBytes: cacheBytes(rowsAfter(plan, before), rowBytes),
  };
}

/** Original positions of all rows that at least one head keeps, ascending. */
function positionsOf(keep: readonly Uint32Array[], start: number): number[] {
  const rows = new Set(keep.flatMap((list) => [...list]));
  return [...rows].sort((a, b) => a - b).map((row) => start + row);
}

/** Whether every tap of `needed` was recorded, with the same parameters. */
export function covers(
  { spec, scope }: Pick<Recorded, "spec" | "scope">,
  needed: TapSpec,
  neededScope: CacheSettings["scope"],
): boolean {
  if (needed.elite && scope !== neededScope) return false;
  const names = Object.keys(needed) as (keyof TapSpec)[];
  return names.every((name) => isSame(spec[name], needed[name]));
}

function isSame(a: unknown, b: unknown): boolean {
  if (typeof a !== "object" || typeof b !== "object" || !a || !b) return a === b;
  const [left, right] = [Object.entries(a), new Map(Object.entries(b))];
  return left.length === right.size && left.every(([key, value]) => value === right.get(key));
}
