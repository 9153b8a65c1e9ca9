import type { KvCache } from "@/model/kv/cache";
import { capacityFor, type RowCounts } from "@/model/kv/layout";
import type { LayerReport, TurnResult } from "@/protocol/result";
import { quantile } from "@/text/stats";

/** The current rows of every layer, with the counts before compaction. */
export function layerReports(cache: KvCache, before: RowCounts): LayerReport[] {
  const held = cache.rowCounts();
  return before.map((rows, layer) => {
    const heads = held[layer] as readonly number[];
    const report = { rowsBefore: mean(rows), rowsAfter: mean(heads) };
    if (!cache.hasHeadLists(layer)) return { ...report, kept: ascending(cache.positions(layer)) };
    const keptPerHead = heads.map((_, head) => ascending(cache.positions(layer, head)));
    return { ...report, kept: ascending([...new Set(keptPerHead.flat())]), keptPerHead };
  });
}

/** Adds the rows at the end of the answer to the reports. */
export function withRowsEnd(reports: readonly LayerReport[], cache: KvCache): LayerReport[] {
  const held = cache.rowCounts();
  return reports.map((report, layer) => ({ ...report, rowsEnd: mean(held[layer] ?? []) }));
}

/**
 * Adds what is left of the kept rows at the end of the answer, where some went since.
 * @param promptTokens the answer's own rows follow them
 */
export function withKeptEnd(
  reports: readonly LayerReport[],
  cache: KvCache,
  promptTokens: number,
): LayerReport[] {
  const ofPrompt = (position: number) => position < promptTokens;
  return reports.map((report, layer) => {
    const heads = cache.hasHeadLists(layer) ? cache.shape.kvHeads : 1;
    const left = Array.from({ length: heads }, (_, head) =>
      cache.positions(layer, head).filter(ofPrompt),
    );
    const isWhole = left.every(
      (list, head) => list.length === (report.keptPerHead?.[head] ?? report.kept).length,
    );
    return isWhole ? report : { ...report, keptEnd: left.map(ascending) };
  });
}

/** Bytes that the cache would take if no row had been dropped. */
export function fullKvBytes(cache: KvCache, seen = cache.seen): number {
  return capacityFor(seen) * bytesPerRow(cache);
}

/** Bytes of one row of keys and values over all layers and heads. */
function bytesPerRow({ shape, rowBytes }: KvCache): number {
  return rowBytes * shape.layers * shape.kvHeads;
}

/** Milliseconds between tokens; zeros for at most one token. */
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
