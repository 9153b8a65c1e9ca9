import { type DecodeRule, PolicyError } from "../types";

/** Counts of rows to evict while decoding, shared by several policies. */

/**
 * For releases with a fixed ratio: int(rows - seen · share), with `share` of all tokens seen so
 * far.
 */
export function dueToRatio(share: (layer: number) => number): DecodeRule["due"] {
  return (layer, rows, seen) => Math.max(0, Math.trunc(rows - seen * share(layer)));
}

/** At most one row per step. */
export function atMostOne(due: DecodeRule["due"]): DecodeRule["due"] {
  return (layer, rows, seen) => Math.min(1, due(layer, rows, seen));
}

/** For methods with a fixed number of slots: the rows above those kept of the prompt. */
export function dueToHold(kept: readonly number[]): DecodeRule["due"] {
  return (layer, rows) => Math.max(0, rows - kept[layer]!);
}

/**
 * Evicts one row at a fixed place whenever rows are due (Elastic Cache, PrefixKV).
 *
 * On short prompts the place is negative. The release then counts from the cache's end, a side
 * effect of Python slicing, and fails if that is outside of the cache. `fail` does the same and
 * reports it; `clamp` moves the place between the sinks and the newest row.
 */
export function fixedPointRule(
  due: DecodeRule["due"],
  place: (layer: number) => number,
  { sinks, shortPrompt }: { readonly sinks: number; readonly shortPrompt: "clamp" | "fail" },
): DecodeRule {
  const index = (layer: number, rows: number) => {
    const at = place(layer);
    if (shortPrompt === "clamp") return Math.max(Math.min(at, rows - 2), Math.min(sinks, rows - 1));
    const fromEnd = at <= -2 && at >= -rows ? rows + at : at;
    if (fromEnd >= 0 && fromEnd < rows) return fromEnd;
    throw new PolicyError(
      `The eviction place ${at} is outside of a cache of ${rows} rows.`,
      "fixedPoint",
    );
  };
  return { due, victim: { kind: "age", index } };
}
