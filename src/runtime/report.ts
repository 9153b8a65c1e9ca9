import { capacityFor, type KvCache, type RowCounts } from "@/model/kvCache";
import type { LayerReport, TurnResult } from "@/protocol/engine";
import { quantile } from "@/telemetry/stats";

/** The rows of every layer as they stand now, beside the counts that stood before compaction. */
export function layerReports(cache: KvCache, before: RowCounts): LayerReport[] {
  return before.map((rows, layer) => {
    const heads = Array.from({ length: cache.shape.kvHeads }, (_, head) => head);
    const rowsAfter = mean(heads.map((head) => cache.rows(layer, head)));
    const report = { rowsBefore: mean(rows), rowsAfter };
    if (!cache.hasHeadLists(layer)) return { ...report, kept: ascending(cache.positions(layer)) };
    const keptPerHead = heads.map((head) => ascending(cache.positions(layer, head)));
    return { ...report, kept: ascending([...new Set(keptPerHead.flat())]), keptPerHead };
  });
}

/** What the cache would take had nothing ever been dropped. */
export function fullKvBytes(cache: KvCache, seen = cache.seen): number {
  return capacityFor(seen) * bytesPerRow(cache);
}

/** Bytes of one row of keys and values over all layers and heads. */
export function bytesPerRow({ shape, rowBytes }: KvCache): number {
  return rowBytes * shape.layers * shape.kvHeads;
}

/** Milliseconds between tokens; zeros where there was at most one. */
export function perToken(arrivals: readonly number[]): TurnResult["ms"]["decodePerToken"] {
  const gaps = arrivals.slice(1).map((at, i) => at - (arrivals[i] as number));
  if (gaps.length === 0) return { median: 0, p95: 0 };
  return { median: quantile(gaps, 0.5), p95: quantile(gaps, 0.95) };
}

function ascending(positions: readonly number[]): number[] {
  return positions.toSorted((a, b) => a - b);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
