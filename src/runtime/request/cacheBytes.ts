import type { KeepPlan } from "@/compression/types";
import { capacityFor, type RowCounts } from "@/model/kv/layout";
import { peakBytes } from "./cap";

/** Rows of every layer and head after a plan, including those cached before the prompt. */
export function rowsAfter(plan: KeepPlan, before: RowCounts): RowCounts {
  return before.map((heads, layer) => {
    const keep = plan.layers[layer]?.keep ?? [];
    return heads.map((rows, head) => rows + (keep[keep.length === 1 ? 0 : head]?.length ?? 0));
  });
}

/** Bytes of a cache with these rows, rounded up to the capacity step. */
export function cacheBytes(rows: RowCounts, rowBytes: number): number {
  return rowBytes * rows.flat().reduce((sum, count) => sum + capacityFor(count), 0);
}

/**
 * The peak bytes of the KV pool during a comparison. Either all forks and the full cache; or, after
 * that is freed, the lane that grows by `newTokens`, the lanes that wait, and the first lane, which
 * is kept. The former is larger if the prompt is longer than the longest answer.
 */
export function comparisonPeakBytes(
  fullBytes: number,
  lanes: readonly RowCounts[],
  newTokens: number,
  rowBytes: number,
): number {
  const bytes = lanes.map((rows) => cacheBytes(rows, rowBytes));
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const grown = ([first = []]: readonly RowCounts[]) =>
    cacheBytes(
      first.map((heads) => heads.map((rows) => rows + newTokens)),
      rowBytes,
    );
  const decoding = lanes.map((rows, lane) => {
    const kept = lane === 0 ? 0 : grown(lanes);
    return kept + peakBytes(rows, newTokens, rowBytes) + sum(bytes.slice(lane + 1));
  });
  return Math.max(fullBytes + sum(bytes), ...decoding);
}

/**
 * Number of rows, at most `newTokens`, by which a cache may grow within `bytes`, including the copy
 * of one moving layer.
 */
export function tokensWithin(
  rows: RowCounts,
  newTokens: number,
  rowBytes: number,
  bytes: number,
): number {
  let tokens = newTokens;
  while (tokens > 0 && peakBytes(rows, tokens, rowBytes) > bytes) tokens--;
  return tokens;
}
