import { topPlaces } from "@/compression/blocks/select";
import type { RowScores } from "@/compression/taps/tap";
import type { KvCache } from "@/model/kv/cache";
import { compact } from "@/model/kv/compaction";
import type { RowCounts } from "@/model/kv/layout";
import { TapRecorder } from "@/model/taps/taps";
import type { CacheSettings } from "@/protocol/request";
import { tokensWithin } from "../request/cacheBytes";
import { type Cap, peakBytes, shrunkRows } from "../request/cap";
import type { Job, Segment } from "../stages/job";
import { type DroppableSlots, droppableSlots, rowsWithout } from "./earlierRows";

/** Queries that rank rows: the text of the new question, at most its last so many rows. */
const RANKING_ROWS = 64;
/** The mean attention of those queries. */
export const RANKING_TAPS = {
  window: { rows: RANKING_ROWS, aggregate: "mean", kernel: 1 },
} as const;

type Scope = CacheSettings["scope"];

/** What rows are worth to a new question: [layer][head], by the position of their token. */
type Worth = readonly (readonly ReadonlyMap<number, number>[])[];

/**
 * The cached rows of earlier turns, or of an image that does not fit, of which those of least worth to the new
 * question are dropped first.
 */
export class RankedRows {
  readonly #job: Job;
  readonly #cache: KvCache;
  readonly #scope: Scope;
  readonly #worth: Worth;

  /**
   * @param scope `visual`: only image rows may go
   * @param worth rows without one stay
   */
  constructor(job: Job, cache: KvCache, scope: Scope, worth: Worth) {
    this.#job = job;
    this.#cache = cache;
    this.#scope = scope;
    this.#worth = worth;
  }

  /**
   * Ranks the rows by the attention that the segment's text pays to them; under policy `full`, or if that
   * does not fit under the cap, by age. Call it before the segment is prefilled.
   */
  static async rank(
    job: Job,
    cache: KvCache,
    segment: Segment,
    { cap, scope }: { readonly cap: Cap; readonly scope: Scope },
  ): Promise<RankedRows> {
    const scores = await job.progress.time("score", () => attentionOf(job, cache, segment, cap));
    if (!scores) return RankedRows.byAge(job, cache, scope);
    const start = cache.rowCounts().map((heads) => heads.map(() => 0));
    return new RankedRows(job, cache, scope, worthOf(cache, start, scores));
  }

  /** The newest rows are worth most. */
  static byAge(job: Job, cache: KvCache, scope: Scope): RankedRows {
    const ages = cache.rowCounts().map((heads, layer) =>
      heads.map((_, head) => {
        return new Map(cache.positions(layer, head).map((position) => [position, position]));
      }),
    );
    return new RankedRows(job, cache, scope, ages);
  }

  /** Rows of the cache. */
  get rows(): RowCounts {
    return this.#cache.rowCounts();
  }

  /** Rows of the cache if all that may be dropped are. */
  get least(): RowCounts {
    return rowsWithout(this.rows, this.#droppable());
  }

  /** Drops rows until every head has no more than `target`, which is at least `least`. */
  async shrink(target: RowCounts): Promise<void> {
    const cache = this.#cache;
    const slots = this.#droppable();
    const everyHead = Array.from({ length: cache.shape.kvHeads }, (_, head) => head);
    const layers = target.map((counts, layer) => {
      const keepOf = (heads: readonly number[]) => {
        const first = heads[0] as number;
        const mayGo = slots[layer]?.[first] ?? [];
        return this.#keep(layer, heads, mayGo, counts[first] as number);
      };
      const lists = cache.hasHeadLists(layer) ? everyHead.map((head) => [head]) : [everyHead];
      return { keep: lists.map(keepOf) };
    });
    const start = cache.rowCounts().map((heads) => heads.map(() => 0));
    await this.#job.progress.time("compact", () => compact(cache, { layers }, start));
  }

  /** Drops rows until `added` more fit under a cap, or as many as do without them. @returns whether any went */
  async shrinkFor(added: number, cap: Cap): Promise<boolean> {
    const { least, rows } = this;
    if (peakBytes(rows, added, cap.rowBytes) <= cap.bytes) return false;
    const fit = tokensWithin(least, added, cap.rowBytes, cap.bytes);
    const target = fit > 0 ? shrunkRows(rows, least, fit, cap) : undefined;
    if (target) await this.shrink(target);
    return target !== undefined;
  }

  /** Slots of ranked rows that may be dropped, oldest first. */
  #droppable(): DroppableSlots {
    const { prompt, settings } = this.#job.turn;
    const turn = { prompt, settings: { ...settings, scope: this.#scope } };
    return droppableSlots(turn, this.#cache).map((heads, layer) =>
      heads.map((slots, head) =>
        slots.filter((slot) => this.#worthOf(layer, head, slot) !== undefined),
      ),
    );
  }

  /** The slots that stay of heads which share them: `rows`, without the `mayGo` of least worth. */
  #keep(
    layer: number,
    heads: readonly number[],
    mayGo: readonly number[],
    rows: number,
  ): Uint32Array {
    const held = this.#cache.rows(layer, heads[0]);
    const worth = Float64Array.from(mayGo, (slot) => {
      const sum = heads.reduce(
        (total, head) => total + (this.#worthOf(layer, head, slot) as number),
        0,
      );
      return sum / heads.length;
    });
    const goes = new Set(mayGo);
    const places = rows - (held - mayGo.length);
    for (const place of topPlaces(worth, places)) goes.delete(mayGo[place] as number);
    return Uint32Array.from({ length: held }, (_, slot) => slot).filter((slot) => !goes.has(slot));
  }

  #worthOf(layer: number, head: number, slot: number): number | undefined {
    const position = this.#cache.positions(layer, head)[slot] as number;
    return this.#worth[layer]?.[head]?.get(position);
  }
}

/**
 * Scores by position.
 * @param start slots of the first scored row, per layer and head
 */
export function worthOf(cache: KvCache, start: RowCounts, { data, heads, rows }: RowScores): Worth {
  return start.map((slots, layer) =>
    slots.map((first, head) => {
      const line = (layer * heads + head) * rows;
      const positions = cache.positions(layer, head).slice(first, first + rows);
      return new Map(positions.map((position, row) => [position, data[line + row] as number]));
    }),
  );
}

/** Mean attention of the segment's text to each cached row; undefined: rank by age. */
async function attentionOf(
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
    spec: RANKING_TAPS,
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
