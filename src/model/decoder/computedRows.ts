import type { KvCache } from "../kv/cache";

interface ComputedRows {
  readonly ids: Uint32Array;
  /** The token of each row, from the first new one on; undefined: every token has a row. */
  readonly tokens: Uint32Array | undefined;
}

/** The rows that a prefill computes. @param kept as in `PrefillArgs` */
export function computedRows(ids: Uint32Array, kept: Uint32Array | undefined): ComputedRows {
  if (!kept) return { ids, tokens: undefined };
  if (kept.at(-1) !== ids.length - 1) throw new RangeError("prefill: the last id must be computed");
  return { ids: kept.map((row) => ids[row] as number), tokens: kept };
}

/** Counts new rows and the tokens between them. */
export function appendRows(cache: KvCache, rows: number, tokens: Uint32Array | undefined): void {
  if (!tokens) cache.append(rows);
  for (const token of tokens ?? []) {
    cache.skip(token - cache.seen);
    cache.append(1);
  }
}
