import { rowBudget } from "@/compression/blocks/budget";
import { planFor } from "@/compression/plan";
import type { RowScores } from "@/compression/taps/tap";
import type { KeepPlan, PlanInput } from "@/compression/types";
import type { FeatureSlice } from "@/gpu/kernels/common/embed";
import { promptIds } from "@/model/decoder/decoder";
import type { KvCache } from "@/model/kv/cache";
import { compact } from "@/model/kv/compaction";
import type { RowCounts } from "@/model/kv/layout";
import { recordTaps, tapsOf } from "../report/tapRecording";
import { rowsAfter, tokensWithin } from "../request/cacheBytes";
import { peakBytes } from "../request/cap";
import { ceilingTooLow, type KvCeiling, kvCeiling } from "../request/ceiling";
import { type PrefillSpan, planInput, prefillSpan, visualRowsOf } from "../request/prefillSpan";
import { positionMode } from "../request/request";
import { compactInPlace } from "../stages/compact";
import { type Job, type Prefilled, type Segment, tellStage } from "../stages/job";
import { prefillSegment, tilesOf } from "../stages/prefill";
import { columnSums, pieceScores } from "./pieceScores";
import { RANKING_TAPS, RankedRows, worthOf } from "./rankedRows";
import { cachedRows, imageSlots, type SlotRun, shrunk, withAppended } from "./runs";
import { ANSWER_ROWS, type RoomIn, roomWithin, tellDropped } from "./shrinkHistory";

/** Rows of a piece: a quarter of what fits, within these bounds. */
const PIECE_ROWS = { least: 16, most: 256 } as const;
/** The kept share is multiplied by it until the answer's beginning fits. */
const LOWER = 0.85;

/** A turn that was prefilled in pieces and compressed to what its policy keeps. */
interface PiecewisePrefill {
  readonly prefilled: Prefilled;
  /** Where its answer goes. */
  readonly roomIn: RoomIn;
}

/** A segment that does not fit uncompressed. */
interface LargeSegment {
  readonly cache: KvCache;
  readonly segment: Segment;
  readonly features: readonly FeatureSlice[];
  /** Tokens of the answer, at most. */
  readonly newTokens: number;
}

/** Where a turn's rows have to fit. */
interface Room {
  /** Rows of earlier turns, per layer and head. */
  readonly before: RowCounts;
  readonly rowBytes: number;
  readonly ceiling: KvCeiling;
}

/** How a turn is divided so that it stays under a ceiling. Rows per layer and head. */
interface Division {
  /** First text row after the last image, counted from the segment's start. */
  readonly body: number;
  readonly piece: number;
  /** Image rows cached while another piece comes, and while the question comes. */
  readonly cached: number;
  readonly last: number;
}

/**
 * Whether a segment must be prefilled in pieces: its images exceed the ceiling even if all droppable
 * rows of earlier turns are gone. Policy `full` drops nothing, so it is refused instead. Where positions are counted
 * anew after each compaction, models with several position axes place an image as a whole.
 * @param least rows of earlier turns that cannot be dropped
 */
export function needsPieces(
  { turn, model: { decoder, gpu } }: Job,
  { start, end }: Segment,
  least: RowCounts,
  rowBytes: number,
): boolean {
  const isPlaced = !decoder.config.ropeAxes || positionMode(turn.options) === "original";
  const isDivisible = turn.policy.id !== "full" && isPlaced;
  const hasImages = turn.prompt.tiles.some((tile) => tile.start >= start && tile.start < end);
  const { bytes } = kvCeiling(turn.settings, gpu.memory);
  return isDivisible && hasImages && peakBytes(least, end - start + 1, rowBytes) > bytes;
}

/**
 * Prefills a segment that does not fit uncompressed. Between the pieces, the image rows are ranked by
 * the mean attention of the piece's queries (its `columnSum` per query that sees the row), and every
 * layer and head keeps equally many rows of each tile. Text rows stay. When the question has come, the
 * policy ranks what is left, by its own taps over the question's queries, the cached rows and the question. It
 * keeps its share of the image, or as much as fits with the first tokens of the answer. Its other tokens give up
 * further image rows as they come, those that the question attends to least. Merging is left out.
 * @throws EngineError `capTooSmall`, `outOfMemory`
 */
export async function prefillInPieces(
  job: Job,
  { cache, segment, features, newTokens }: LargeSegment,
): Promise<PiecewisePrefill> {
  const { model, turn, progress } = job;
  const before = cache.rowCounts();
  const span = prefillSpan(turn.prompt, segment);
  const ceiling = kvCeiling(turn.settings, model.gpu.memory);
  const room = { before, rowBytes: cache.rowBytes, ceiling };
  const division = divide(span, room);
  const runs = await prefillBody(job, { cache, before, segment, features, division });
  progress.prefilling({ ...span, rows: division.body });
  const question = { start: segment.start + division.body, end: segment.end };
  const turnSpan = cachedTurnSpan(runs, prefillSpan(turn.prompt, question));
  const settings = { ...turn.settings, scope: "visual" } as const;
  const request = { ...tapsOf({ ...turn, settings }, turnSpan), cachedRows: turnSpan.textStart };
  const prefilled = await prefillSegment(job, {
    cache,
    segment: question,
    encoded: { images: [], features: [] },
    requests: [request, { ...request, spec: RANKING_TAPS }],
  });
  const worth = worthOf(cache, before, prefilled.recorded[1]?.window as RowScores);
  const { seed } = turn.request.sampling;
  const { shape } = model;
  const input = planInput({ span: turnSpan, shape, settings, taps: prefilled.taps, seed });
  const images = visualRowsOf(span).length;
  const plan = planWithin(job, input, room, { images, newTokens });
  const seen = before.map((heads) => heads.map((rows) => rows + span.rows));
  await compactInPlace(job, { ...prefilled, before }, plan, seen);
  progress.notice({ code: "pieces", rows: division.piece });
  const image = new RankedRows(job, cache, settings.scope, worth);
  const cap = { ...ceiling, rowBytes: cache.rowBytes };
  const roomIn = roomWithin(cap, async (tokens) => {
    if (await image.shrinkFor(tokens, cap)) tellDropped(job, "imageDropped", cap);
  });
  return { prefilled, roomIn };
}

/** @throws EngineError if not even one row per tile fits */
function divide(
  { rows, visual, textStart: body }: PrefillSpan,
  { before, rowBytes, ceiling }: Room,
): Division {
  const room = tokensWithin(before, rows, rowBytes, ceiling.bytes);
  const text = body - visual.reduce((sum, { start, end }) => sum + end - start, 0);
  const question = rows - body;
  const quarter = Math.floor(room / 4);
  const piece = Math.max(PIECE_ROWS.least, Math.min(PIECE_ROWS.most, quarter));
  const cached = room - text - piece;
  const last = Math.min(cached, room - text - question - 1);
  if (last >= visual.length) return { body, piece, cached, last };
  const least = text + visual.length + Math.max(question + 1, PIECE_ROWS.least);
  throw ceilingTooLow(ceiling, peakBytes(before, least, rowBytes));
}

interface Body extends Omit<LargeSegment, "newTokens"> {
  readonly before: RowCounts;
  readonly division: Division;
}

/** Prefills everything before the question. @returns what is cached of it, in slot order */
async function prefillBody(
  job: Job,
  { cache, before, segment, features, division }: Body,
): Promise<readonly SlotRun[]> {
  const { model, turn, progress, signal } = job;
  const { visual, rows } = prefillSpan(turn.prompt, segment);
  const tiles = tilesOf(turn, segment);
  const ids = promptIds(turn.prompt.ids.slice(segment.start, segment.end), tiles);
  let runs: readonly SlotRun[] = [];
  for (let at = 0; at < division.body; ) {
    const to = Math.min(division.body, at + division.piece);
    const hook = await recordTaps(model, cache, columnSums(to - at, cache.seen > 0));
    try {
      const piece = ids.subarray(at, to);
      await progress.time("prefill", () =>
        // The first piece announces the images of all.
        model.decoder.prefill({
          cache,
          ids: piece,
          features,
          hook,
          signal,
          ...(at === 0 && { grids: tiles }),
        }),
      );
    } catch (error) {
      hook.destroy();
      throw error;
    }
    const [own, cached] = await progress.time("score", () => hook.finish());
    const earlier = cachedRows(runs);
    runs = withAppended(runs, visual, at, to);
    const quota = to < division.body ? division.cached : division.last;
    const scores = pieceScores({ own: own!, cached, before, earlier, rows: to - at });
    const { plan, left } = shrunk(runs, quota, scores, cache.shape.layers);
    await progress.time("compact", () => compact(cache, plan, before));
    runs = left;
    at = to;
    tellStage(job, "prefill", at, rows);
  }
  return runs;
}

/** The rows of the turn, as its policy sees them: those in the cache, then the question. */
function cachedTurnSpan(runs: readonly SlotRun[], question: PrefillSpan): PrefillSpan {
  const textStart = cachedRows(runs);
  const { start, rows } = question;
  return { start, rows: textStart + rows, visual: imageSlots(runs), textStart };
}

/**
 * The policy's plan with the largest share of the image, at most its own, that leaves an answer's beginning room.
 * @param images rows of the turn's images before any of them was dropped
 */
function planWithin(
  { turn }: Job,
  input: PlanInput,
  { before, rowBytes, ceiling }: Room,
  { images, newTokens }: { readonly images: number; readonly newTokens: number },
): KeepPlan {
  const { layers, candidates } = input;
  let retention = Math.min(1, (turn.settings.retention * images) / candidates.length);
  for (;;) {
    const budget = rowBudget(retention, candidates.length, layers);
    const plan = withoutMerging(
      planFor(turn.policy, { ...input, budget, retention }, turn.options),
    );
    const rows = rowsAfter(plan, before);
    const tokens = tokensWithin(rows, newTokens, rowBytes, ceiling.bytes);
    if (tokens >= Math.min(newTokens, ANSWER_ROWS)) return plan;
    if (budget <= layers) {
      if (tokens > 0) return plan;
      throw ceilingTooLow(ceiling, peakBytes(rows, 1, rowBytes));
    }
    retention *= LOWER;
  }
}

function withoutMerging({ layers, ...plan }: KeepPlan): KeepPlan {
  return { ...plan, layers: layers.map(({ keep }) => ({ keep })) };
}
