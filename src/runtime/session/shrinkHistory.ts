import { topPlaces } from "@/compression/blocks/select";
import type { RowScores } from "@/compression/taps/tap";
import type { KeepPlan } from "@/compression/types";
import type { KvCache } from "@/model/kv/cache";
import { compact } from "@/model/kv/compaction";
import type { RowCounts } from "@/model/kv/layout";
import { TapRecorder } from "@/model/taps/taps";
import type { EngineError } from "@/protocol/failure";
import { type Cap, peakBytes, shrunkRows } from "../request/cap";
import { ceilingTooLow, type KvCeiling, kvCeiling } from "../request/ceiling";
import type { Job, Segment } from "../stages/job";
import { type DroppableSlots, droppableSlots, rowsWithout, targetRows } from "./earlierRows";

/** Queries that rank a history: the text of the new question, at most its last so many rows. */
const RANKING_ROWS = 64;

/** What is to be appended to a cache. */
interface Appended {
  readonly cache: KvCache;
  readonly segment: Segment;
  /** Tokens of the answer, at most. */
  readonly newTokens: number;
  /** Rows of the segment that are computed; default: all. */
  readonly added?: number | undefined;
}

/**
 * Drops rows of earlier turns until a segment and `newTokens` more fit under the conversation's cap and the
 * limit of graphics memory.
 * The rows are ranked again by the attention that the segment's text pays to them; policy `full`
 * drops its oldest visual rows.
 * @returns how many new tokens fit
 * @throws EngineError `capTooSmall`, `outOfMemory` with the number of megabytes that is needed
 */
export async function shrinkHistory(
  job: Job,
  { cache, segment, newTokens, added = segment.end - segment.start }: Appended,
): Promise<number> {
  const cap = { ...kvCeiling(job.turn.settings, job.model.gpu.memory), rowBytes: cache.rowBytes };
  const rows = cache.rowCounts();
  if (peakBytes(rows, added + newTokens, cap.rowBytes) <= cap.bytes) return newTokens;

  const slots = droppableSlots(job.turn, cache);
  const least = rowsWithout(rows, slots);
  const fit = { least, added, newTokens, cap };
  const tokens = tokensThatFit(fit);
  if (tokens === undefined) throw tooLow(job, cache, segment, fit);
  const target = shrunkRows(rows, least, added + tokens, cap) as RowCounts;
  if (cache.seen === 0) return tokens;
  const scores = await job.progress.time("score", () => rank(job, cache, segment, cap));
  await job.progress.time("compact", () => dropRows(cache, slots, target, scores));
  const megabytes = Math.floor(cap.bytes / 1e4) / 100;
  job.progress.notice({ code: "earlierDropped", megabytes });
  return tokens;
}

/**
 * Drops image rows of earlier turns until `earlierRetention` of them are left, ranked by the attention that
 * the segment's text pays to them. Every layer and head gives up the same share of what it holds.
 */
export async function shrinkEarlierImages(
  job: Job,
  cache: KvCache,
  segment: Segment,
): Promise<void> {
  const { prompt, settings } = job.turn;
  const { earlierRetention } = settings;
  if (earlierRetention === undefined || cache.seen === 0) return;
  const tiles = prompt.tiles.filter(({ start }) => start < segment.start);
  const slots = droppableSlots(
    { prompt: { tiles }, settings: { ...settings, scope: "visual" } },
    cache,
  );
  const target = targetRows(cache.rowCounts(), slots, tiles, earlierRetention);
  if (!target) return;
  const cap = { ...kvCeiling(settings, job.model.gpu.memory), rowBytes: cache.rowBytes };
  const scores = await job.progress.time("score", () => rank(job, cache, segment, cap));
  await job.progress.time("compact", () => dropRows(cache, slots, target, scores));
  const percent = Math.round(earlierRetention * 1000) / 10;
  job.progress.notice({ code: "earlierReduced", percent });
}

/** Drops every row of earlier turns that may be dropped. */
export async function dropHistory(job: Job, cache: KvCache): Promise<void> {
  if (cache.seen === 0) return;
  const slots = droppableSlots(job.turn, cache);
  const target = rowsWithout(cache.rowCounts(), slots);
  await job.progress.time("compact", () => dropRows(cache, slots, target, undefined));
  job.progress.notice({ code: "earlierImagesDropped" });
}

interface Fit {
  /** Rows that cannot be dropped. */
  readonly least: RowCounts;
  readonly added: number;
  readonly newTokens: number;
  readonly cap: Cap & KvCeiling;
}

/** New tokens that fit with the fewest possible earlier rows; undefined if not even one does. */
function tokensThatFit({ least, added, newTokens, cap }: Fit): number | undefined {
  for (let tokens = newTokens; tokens >= Math.min(1, newTokens); tokens--) {
    if (peakBytes(least, added + tokens, cap.rowBytes) <= cap.bytes) return tokens;
  }
  return undefined;
}

/** The refusal names what is enough to begin; for the full cache, what drops no row of any turn. */
function tooLow(
  { turn }: Job,
  cache: KvCache,
  { start }: Segment,
  { least, added, cap }: Fit,
): EngineError {
  if (turn.policy.id !== "full") {
    return ceilingTooLow(cap, peakBytes(least, added + 1, cap.rowBytes));
  }
  const toCome = turn.prompt.ids.length - start + turn.request.sampling.maxNewTokens;
  return ceilingTooLow(cap, peakBytes(cache.rowCounts(), toCome, cap.rowBytes), "keepLess");
}

/** Mean attention of the segment's text to each cached row; undefined: rank by age. */
async function rank(
  { model, turn, signal }: Job,
  cache: KvCache,
  { start, end }: Segment,
  cap: Cap,
): Promise<RowScores | undefined> {
  const { gpu, decoder, variants } = model;
  const lastTile = turn.prompt.tiles.findLast((tile) => tile.start < end);
  const textStart = Math.max(start, lastTile ? lastTile.start + lastTile.count : 0);
  const ids = turn.prompt.ids.slice(Math.max(textStart, end - RANKING_ROWS), end);
  const isFull = turn.policy.id === "full";
  const fits = peakBytes(cache.rowCounts(), ids.length, cap.rowBytes) <= cap.bytes;
  if (isFull || ids.length === 0 || !fits) return undefined;
  const rows = ids.length;
  const hook = await TapRecorder.create(gpu, {
    cache,
    heads: decoder.config.heads,
    reduction: variants.reduction,
    cachedSpan: true,
    spec: { window: { rows, aggregate: "mean", kernel: 1 } },
    prompt: { rows, visual: [], textStart: 0 },
  });
  try {
    await decoder.prefill({ cache, ids: Uint32Array.from(ids), hook, signal });
  } catch (error) {
    hook.destroy();
    throw error;
  }
  const { window } = await hook.finish();
  cache.truncate(rows);
  return window;
}

/** Cuts the history to `target` rows per head: of the droppable ones the best stay, or the newest. */
async function dropRows(
  cache: KvCache,
  droppable: DroppableSlots,
  target: RowCounts,
  scores: RowScores | undefined,
): Promise<void> {
  const { layers, kvHeads } = cache.shape;
  const keepOf = (layer: number, heads: readonly number[]): Uint32Array => {
    const head = heads[0] as number;
    const slots = droppable[layer]?.[head] ?? [];
    const rows = cache.rows(layer, head);
    const places = (target[layer]?.[head] ?? rows) - (rows - slots.length);
    const worth = Float64Array.from(slots, (slot) =>
      scores ? meanOf(scores, layer, heads, slot) : slot,
    );
    const mayGo = new Set(slots);
    for (const place of topPlaces(worth, places)) mayGo.delete(slots[place] as number);
    return Uint32Array.from({ length: rows }, (_, slot) => slot).filter((slot) => !mayGo.has(slot));
  };
  const everyHead = Array.from({ length: kvHeads }, (_, head) => head);
  const plan: KeepPlan = {
    layers: Array.from({ length: layers }, (_, layer) => ({
      keep: cache.hasHeadLists(layer)
        ? everyHead.map((head) => keepOf(layer, [head]))
        : [keepOf(layer, everyHead)],
    })),
  };
  const start = cache.rowCounts().map((heads) => heads.map(() => 0));
  await compact(cache, plan, start);
}

function meanOf(scores: RowScores, layer: number, heads: readonly number[], row: number): number {
  const at = (head: number) => scores.data[(layer * scores.heads + head) * scores.rows + row] ?? 0;
  return heads.reduce((sum, head) => sum + at(head), 0) / heads.length;
}
