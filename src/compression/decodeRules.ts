import { type DecodeRule, PolicyError } from "./types";

/** How many rows are due while decoding: the counts that several policies share. */

/** Releases that hold a ratio: int(rows - seen · share), the share of all tokens seen so far. */
export function dueToRatio(share: (layer: number) => number): DecodeRule["due"] {
  return (layer, rows, seen) => Math.max(0, Math.trunc(rows - seen * share(layer)));
}

/** Methods with a fixed number of slots: whatever exceeds the rows kept of the prompt. */
export function dueToHold(kept: readonly number[]): DecodeRule["due"] {
  return (layer, rows) => Math.max(0, rows - kept[layer]!);
}

/**
 * One row at a fixed place goes whenever rows are due (Elastic Cache, PrefixKV).
 *
 * The release lets the place leave the cache on short prompts and then breaks; `fail` reports that
 * as it happens, `clamp` moves the place between the sinks and the newest row.
 */
export function fixedPointRule(
  due: DecodeRule["due"],
  place: (layer: number) => number,
  { sinks, shortPrompt }: { readonly sinks: number; readonly shortPrompt: "clamp" | "fail" },
): DecodeRule {
  const index = (layer: number, rows: number) => {
    const at = place(layer);
    if (shortPrompt === "clamp") return Math.max(Math.min(at, rows - 2), Math.min(sinks, rows - 1));
    if (at >= 0 && at < rows) return at;
    throw new PolicyError(
      `The eviction place ${at} lies outside of a cache of ${rows} rows.`,
      "fixedPoint",
    );
  };
  return { due, victim: { kind: "age", index } };
}
