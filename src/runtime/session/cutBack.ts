import type { KeepPlan } from "@/compression/types";
import type { KvCache } from "@/model/kv/cache";
import { compact } from "@/model/kv/compaction";

/** A cache as it was when a turn began. */
export interface TurnStart {
  /** That it had seen. */
  readonly tokens: number;
  /** That it held, summed over layers and heads. */
  readonly rows: number;
}

/** Rows of tokens before `tokens`, summed over layers and heads. */
function rowsBefore(cache: KvCache, tokens: number): number {
  const { layers, kvHeads } = cache.shape;
  let rows = 0;
  for (let layer = 0; layer < layers; layer++) {
    for (let head = 0; head < kvHeads; head++) {
      for (const position of cache.positions(layer, head)) if (position < tokens) rows++;
    }
  }
  return rows;
}

/** What a cache has in common with a prompt. */
interface CommonPast {
  /** Tokens at the beginning that both share. */
  readonly common: number;
  /** Turns of the cache, ascending. */
  readonly starts: readonly TurnStart[];
  /** Whether the cache's policy drops no rows. */
  readonly isFull: boolean;
}

/**
 * How many of the first `common` tokens a cache can be cut back to, so that it is as if no other had followed:
 * all of them if no row was dropped, else those before a turn, if all their rows that were held then still are.
 */
export function cutPoint(cache: KvCache, { common, starts, isFull }: CommonPast): number {
  // Otherwise keys stand where the dropped rows put them.
  if (cache.positionMode !== "original") return 0;
  const { layers, kvHeads } = cache.shape;
  if (isFull && rowsBefore(cache, cache.seen) === cache.seen * layers * kvHeads) return common;
  const start = starts.findLast(
    ({ tokens, rows }) => tokens <= common && rowsBefore(cache, tokens) === rows,
  );
  return start?.tokens ?? 0;
}

/** Forgets all tokens but the first. @throws OutOfMemoryError */
export async function cutBack(cache: KvCache, tokens: number): Promise<void> {
  const { layers, kvHeads } = cache.shape;
  const heldOf = (layer: number, head: number) =>
    Uint32Array.from(cache.positions(layer, head).keys()).filter(
      (slot) => (cache.positions(layer, head)[slot] as number) < tokens,
    );
  const plan: KeepPlan = {
    layers: Array.from({ length: layers }, (_, layer) => ({
      keep: Array.from({ length: cache.hasHeadLists(layer) ? kvHeads : 1 }, (_, head) =>
        heldOf(layer, head),
      ),
    })),
  };
  const start = cache.rowCounts().map((heads) => heads.map(() => 0));
  await compact(cache, plan, start);
  cache.truncate(0, cache.seen - tokens);
}
