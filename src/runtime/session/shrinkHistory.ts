import type { MakeRoom } from "@/model/decoder/generation";
import type { KvCache } from "@/model/kv/cache";
import type { EngineError } from "@/protocol/failure";
import { tokensWithin } from "../request/cacheBytes";
import { type Cap, peakBytes } from "../request/cap";
import { ceilingTooLow, type KvCeiling, kvCeiling } from "../request/ceiling";
import type { Job, Segment } from "../stages/job";
import { droppableSlots, targetRows } from "./earlierRows";
import { RankedRows } from "./rankedRows";

/** Tokens of an answer for which other rows are given up at a time. */
export const ANSWER_ROWS = 32;

/** What is to be appended to a cache. */
interface Appended {
  readonly cache: KvCache;
  readonly segment: Segment;
  /** Tokens of the answer, at most. */
  readonly newTokens: number;
  /** Rows of the segment that are computed; default: all. */
  readonly added?: number | undefined;
}

/** How an answer finds room in the cache that holds its question. */
export type RoomIn = (cache: KvCache) => MakeRoom;

/**
 * Drops rows of earlier turns until a segment and the first token of an answer fit under the
 * conversation's cap and the limit of graphics memory. The answer's other tokens give up further rows as
 * they come. In scope `prompt` room for all of them is made before, because a rule that evicts while
 * decoding knows rows by their slots.
 * @returns undefined if the whole answer fits beside all rows
 * @throws EngineError `capTooSmall`, `outOfMemory` with the number of megabytes that is needed
 */
export async function shrinkHistory(job: Job, appended: Appended): Promise<RoomIn | undefined> {
  const { cache, segment, newTokens, added = segment.end - segment.start } = appended;
  const cap = capOf(job, cache);
  const rows = cache.rowCounts();
  if (peakBytes(rows, added + newTokens, cap.rowBytes) <= cap.bytes) return undefined;
  const { scope } = job.turn.settings;
  const earlier =
    cache.seen > 0 ? await RankedRows.rank(job, cache, segment, { cap, scope }) : undefined;
  const fewest = added + Math.min(1, newTokens);
  const needed = peakBytes(earlier?.least ?? rows, fewest, cap.rowBytes);
  if (needed > cap.bytes) throw tooLow(job, appended, cap, needed);
  if (!earlier) return roomWithin(cap);
  const drop = async (tokens: number) => {
    if (await earlier.shrinkFor(tokens, cap)) tellDropped(job, "earlierDropped", cap);
  };
  await drop(scope === "prompt" ? added + newTokens : fewest);
  return roomWithin(cap, drop);
}

/** Room under a cap. @param drop drops rows for so many tokens, or fewer, when no room is left */
export function roomWithin(
  { bytes, rowBytes }: Cap,
  drop: (tokens: number) => Promise<void> = async () => undefined,
): RoomIn {
  return (cache) => async (wanted) => {
    const room = () => tokensWithin(cache.rowCounts(), wanted, rowBytes, bytes);
    if (room() === 0) await drop(Math.min(wanted, ANSWER_ROWS));
    return room();
  };
}

/** Notes that rows were dropped to stay under a cap. */
export function tellDropped(
  { progress }: Job,
  code: "earlierDropped" | "imageDropped",
  { bytes }: Pick<Cap, "bytes">,
): void {
  progress.notice({ code, megabytes: Math.floor(bytes / 1e4) / 100 });
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
  const cap = capOf(job, cache);
  const ranked = await RankedRows.rank(job, cache, segment, { cap, scope: "visual" });
  await ranked.shrink(target);
  const percent = Math.round(earlierRetention * 1000) / 10;
  job.progress.notice({ code: "earlierReduced", percent });
}

/** Drops every row of earlier turns that may be dropped. */
export async function dropHistory(job: Job, cache: KvCache): Promise<void> {
  if (cache.seen === 0) return;
  const ranked = RankedRows.byAge(job, cache, job.turn.settings.scope);
  await ranked.shrink(ranked.least);
  job.progress.notice({ code: "earlierImagesDropped" });
}

/** The ceiling of a conversation's cache. */
function capOf({ turn, model }: Job, { rowBytes }: KvCache): Cap & KvCeiling {
  return { ...kvCeiling(turn.settings, model.gpu.memory), rowBytes };
}

/** The refusal names what is enough to begin; for the full cache, what drops no row of any turn. */
function tooLow(
  { turn }: Job,
  { cache, segment }: Appended,
  cap: Cap & KvCeiling,
  needed: number,
): EngineError {
  if (turn.policy.id !== "full") return ceilingTooLow(cap, needed);
  const toCome = turn.prompt.ids.length - segment.start + turn.request.sampling.maxNewTokens;
  return ceilingTooLow(cap, peakBytes(cache.rowCounts(), toCome, cap.rowBytes), "keepLess");
}
