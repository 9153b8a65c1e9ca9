import type { KeepPlan } from "@/compression/types";
import { capacityFor, type RowCounts } from "@/model/kv/cache";
import { peakBytes } from "./cap";

/** Rows of every layer and head that a plan leaves, those that stood before the prompt included. */
export function rowsAfter(plan: KeepPlan, before: RowCounts): RowCounts {
  return before.map((heads, layer) => {
    const keep = plan.layers[layer]?.keep ?? [];
    return heads.map((rows, head) => rows + (keep[keep.length === 1 ? 0 : head]?.length ?? 0));
  });
}

/** Bytes of a cache that holds these rows, by capacity step. */
export function cacheBytes(rows: RowCounts, rowBytes: number): number {
  return rowBytes * rows.flat().reduce((sum, count) => sum + capacityFor(count), 0);
}

/**
 * The most that the KV pool can hold while lanes are compared: all forks beside the full cache, or,
 * once that is freed, the lane that grows by `newTokens` beside those that wait and the first
 * one, which stays. The former wherever the prompt is longer than the answers may get.
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

/** How many of `newTokens` rows a cache may grow by within `bytes`, while its layers move. */
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
