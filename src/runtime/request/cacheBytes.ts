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

/** Bytes of a cache with these rows, rounded up to whole blocks. */
export function cacheBytes(rows: RowCounts, rowBytes: number): number {
  return rowBytes * rows.flat().reduce((sum, count) => sum + capacityFor(count), 0);
}

/** A comparison whose lanes are planned. */
interface PlannedComparison {
  /** Bytes of the cache that all lanes share. */
  readonly fullBytes: number;
  /** Rows of each lane's fork. */
  readonly lanes: readonly RowCounts[];
  /** Tokens of each answer, at most. */
  readonly newTokens: number;
  readonly rowBytes: number;
  /** How many lanes decode together, in order; default: one after the other. */
  readonly groups?: readonly number[];
}

/**
 * The peak bytes of the KV pool during a comparison. Either all forks and the full cache; or, after
 * that is freed, the lanes of a group that grow by `newTokens`, the lanes that wait, and the first lane, which
 * is kept. The former is larger if the prompt is longer than the longest answer.
 */
export function comparisonPeakBytes({
  fullBytes,
  lanes,
  newTokens,
  rowBytes,
  groups = lanes.map(() => 1),
}: PlannedComparison): number {
  const bytes = lanes.map((rows) => cacheBytes(rows, rowBytes));
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const grown = lanes.map((rows) =>
    cacheBytes(
      rows.map((heads) => heads.map((count) => count + newTokens)),
      rowBytes,
    ),
  );
  const moving = lanes.map((rows, lane) => {
    return peakBytes(rows, newTokens, rowBytes) - (grown[lane] as number);
  });
  const decoding = groups.map((size, group) => {
    const first = sum(groups.slice(0, group));
    const kept = group === 0 ? 0 : (grown[0] as number);
    const own = sum(grown.slice(first, first + size));
    const most = Math.max(...moving.slice(first, first + size));
    return kept + own + most + sum(bytes.slice(first + size));
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
