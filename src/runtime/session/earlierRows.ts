import type { KvCache } from "@/model/kv/cache";
import type { RowCounts } from "@/model/kv/layout";
import type { PromptTile } from "@/model/prompt/prompt";
import type { PreparedTurn } from "../request/turn";

/** In scope `prompt` the first rows (attention sinks) are always kept. */
const SINKS = 4;

/** Slots of earlier turns' rows that may be dropped, oldest first: [layer][head][slots]. */
export type DroppableSlots = readonly (readonly (readonly number[])[])[];

/** The part of a turn that says which rows of its cache may go. */
type EarlierTurn = Pick<PreparedTurn, "settings"> & {
  readonly prompt: Pick<PreparedTurn["prompt"], "tiles">;
};

/**
 * Slots that may be dropped, oldest first, per layer and head: visual rows, or all but the first
 * few.
 */
export function droppableSlots(
  { prompt, settings }: EarlierTurn,
  cache: Pick<KvCache, "shape" | "positions">,
): DroppableSlots {
  const { tiles } = prompt;
  const isVisual = (position: number) =>
    tiles.some(({ start, count }) => position >= start && position < start + count);
  const { layers, kvHeads } = cache.shape;
  return Array.from({ length: layers }, (_, layer) =>
    Array.from({ length: kvHeads }, (_, head) =>
      cache.positions(layer, head).flatMap((position, slot) => {
        const mayGo = settings.scope === "prompt" ? slot >= SINKS : isVisual(position);
        return mayGo ? [slot] : [];
      }),
    ),
  );
}

/** Rows of earlier turns that cannot be dropped. */
export function leastRows(turn: PreparedTurn, cache: KvCache): RowCounts {
  return rowsWithout(cache.rowCounts(), droppableSlots(turn, cache));
}

/** Rows that are left without the droppable ones. */
export function rowsWithout(rows: RowCounts, slots: DroppableSlots): RowCounts {
  return rows.map((heads, layer) =>
    heads.map((count, head) => count - (slots[layer]?.[head]?.length ?? 0)),
  );
}

/**
 * Rows per layer and head of which a share of the tiles' rows is left.
 * @returns undefined if no more than that share is held
 */
export function targetRows(
  rows: RowCounts,
  slots: DroppableSlots,
  tiles: readonly Pick<PromptTile, "count">[],
  share: number,
): RowCounts | undefined {
  const heads = slots.flat();
  const held = heads.reduce((sum, { length }) => sum + length, 0);
  const full = heads.length * tiles.reduce((sum, { count }) => sum + count, 0);
  if (held <= share * full) return undefined;
  const left = (share * full) / held;
  return rows.map((counts, layer) =>
    counts.map((count, head) => {
      const own = slots[layer]?.[head]?.length ?? 0;
      return count - own + Math.floor(own * left);
    }),
  );
}
