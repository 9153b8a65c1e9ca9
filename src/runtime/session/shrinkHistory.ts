import { topPlaces } from "@/compression/blocks/select";
import type { RowScores } from "@/compression/taps/tap";
import type { KeepPlan } from "@/compression/types";
import type { KvCache } from "@/model/kv/cache";
import { compact } from "@/model/kv/compaction";
import type { RowCounts } from "@/model/kv/layout";
import type { PromptTile } from "@/model/prompt/prompt";
import { TapRecorder } from "@/model/taps/taps";
import { type Cap, peakBytes, shrunkRows } from "../request/cap";
import { ceilingTooLow, type KvCeiling, kvCeiling } from "../request/ceiling";
import type { PreparedTurn } from "../request/turn";
import type { Job, Segment } from "../stages/job";

/** Queries that rank a history: the text of the new question, at most its last so many rows. */
const RANKING_ROWS = 64;
/** In scope `prompt` the first rows (attention sinks) are always kept. */
const SINKS = 4;

/**
 * Drops rows of earlier turns until a segment and `newTokens` more fit under the conversation's cap and the
 * limit of graphics memory.
 * The rows are ranked again by the attention that the segment's text pays to them; policy `full`
 * drops its oldest visual rows.
 * @param added rows of the segment that are computed
 * @returns how many new tokens fit
 * @throws EngineError `capTooSmall`, `outOfMemory` with the number of megabytes that is needed
 */
export async function shrinkHistory(
  job: Job,
  cache: KvCache,
  segment: Segment,
  newTokens: number,
  added = segment.end - segment.start,
): Promise<number> {
  const cap = { ...kvCeiling(job.turn.settings, job.model.gpu.memory), rowBytes: cache.rowBytes };
  const rows = cache.rowCounts();
  if (peakBytes(rows, added + newTokens, cap.rowBytes) <= cap.bytes) return newTokens;

  const candidates = candidateSlots(job.turn, cache);
  const least = withoutCandidates(rows, candidates);
  const tokens = tokensThatFit(job, least, added, newTokens, cap);
  const target = shrunkRows(rows, least, added + tokens, cap) as RowCounts;
  if (cache.seen === 0) return tokens;
  const scores = await job.progress.time("score", () => rank(job, cache, segment, cap));
  await job.progress.time("compact", () => dropRows(cache, candidates, target, scores));
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
  const slots = candidateSlots(
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

/**
 * Rows per layer and head of which a share of the tiles' rows is left.
 * @returns undefined if no more than that share is held
 */
export function targetRows(
  rows: RowCounts,
  slots: readonly (readonly (readonly number[])[])[],
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

/** Rows of earlier turns that cannot be dropped. */
export function leastRows(turn: PreparedTurn, cache: KvCache): RowCounts {
  return withoutCandidates(cache.rowCounts(), candidateSlots(turn, cache));
}

/** Drops every row of earlier turns that may be dropped. */
export async function dropHistory(job: Job, cache: KvCache): Promise<void> {
  if (cache.seen === 0) return;
  const candidates = candidateSlots(job.turn, cache);
  const target = withoutCandidates(cache.rowCounts(), candidates);
  await job.progress.time("compact", () => dropRows(cache, candidates, target, undefined));
  job.progress.notice({ code: "earlierImagesDropped" });
}

function withoutCandidates(
  rows: RowCounts,
  candidates: ReturnType<typeof candidateSlots>,
): RowCounts {
  return rows.map((heads, layer) =>
    heads.map((count, head) => count - (candidates[layer]?.[head]?.length ?? 0)),
  );
}

/** New tokens that fit with the fewest possible earlier rows. @throws EngineError */
function tokensThatFit(
  { turn }: Job,
  least: RowCounts,
  added: number,
  newTokens: number,
  cap: Cap & KvCeiling,
): number {
  const fits = (tokens: number) => peakBytes(least, added + tokens, cap.rowBytes) <= cap.bytes;
  for (let tokens = newTokens; tokens >= Math.min(1, newTokens); tokens--) {
    if (fits(tokens)) return tokens;
  }
  const action = turn.policy.id === "full" ? "keepLess" : "newConversation";
  throw ceilingTooLow(cap, peakBytes(least, added + 1, cap.rowBytes), action);
}

type CandidateTurn = Pick<PreparedTurn, "settings"> & {
  readonly prompt: Pick<PreparedTurn["prompt"], "tiles">;
};

/**
 * Slots that may be dropped, oldest first, per layer and head: visual rows, or all but the first
 * few.
 */
export function candidateSlots(
  { prompt, settings }: CandidateTurn,
  cache: Pick<KvCache, "shape" | "positions">,
): readonly (readonly number[])[][] {
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

/** Cuts the history to `target` rows per head: the best candidates stay, or the newest. */
async function dropRows(
  cache: KvCache,
  candidates: readonly (readonly (readonly number[])[])[],
  target: RowCounts,
  scores: RowScores | undefined,
): Promise<void> {
  const { layers, kvHeads } = cache.shape;
  const keepOf = (layer: number, heads: readonly number[]): Uint32Array => {
    const head = heads[0] as number;
    const slots = candidates[layer]?.[head] ?? [];
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
