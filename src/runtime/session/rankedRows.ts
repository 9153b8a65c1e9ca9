import { topPlaces } from "@/compression/blocks/select";
import type { RowScores } from "@/compression/taps/tap";
import type { KvCache } from "@/model/kv/cache";
import { compact } from "@/model/kv/compaction";
import type { RowCounts } from "@/model/kv/layout";
import { TapRecorder } from "@/model/taps/taps";
import type { CacheSettings } from "@/protocol/request";
import { type Cap, peakBytes } from "../request/cap";
import type { Job, Segment } from "../stages/job";
import { type DroppableSlots, droppableSlots, rowsWithout } from "./earlierRows";

/** Queries that rank a history: the text of the new question, at most its last so many rows. */
const RANKING_ROWS = 64;

type Scope = CacheSettings["scope"];

/** What earlier rows are worth to a new question: [layer][head][slot], of the slots before it. */
type Worth = readonly (readonly Float32Array[])[];

/** The cached rows of earlier turns, of which those of least worth to the new question are dropped first. */
export class RankedRows {
  readonly #job: Job;
  readonly #cache: KvCache;
  readonly #scope: Scope;
  #worth: Worth;

  private constructor(job: Job, cache: KvCache, scope: Scope, worth: Worth) {
    this.#job = job;
    this.#cache = cache;
    this.#scope = scope;
    this.#worth = worth;
  }

  /**
   * Ranks the rows by the attention that the segment's text pays to them; under policy `full`, or if that
   * does not fit under the cap, by age. Call it before the segment is prefilled.
   * @param scope `visual`: only image rows may go
   */
  static async rank(
    job: Job,
    cache: KvCache,
    segment: Segment,
    { cap, scope }: { readonly cap: Cap; readonly scope: Scope },
  ): Promise<RankedRows> {
    const scores = await job.progress.time("score", () => attentionOf(job, cache, segment, cap));
    if (!scores) return RankedRows.byAge(job, cache, scope);
    const { data, heads, rows } = scores;
    const worth = cache.rowCounts().map((counts, layer) =>
      counts.map((count, head) => {
        const first = (layer * heads + head) * rows;
        return data.subarray(first, first + count);
      }),
    );
    return new RankedRows(job, cache, scope, worth);
  }

  /** The newest rows are worth most. */
  static byAge(job: Job, cache: KvCache, scope: Scope): RankedRows {
    const slots = (length: number) => Float32Array.from({ length }, (_, slot) => slot);
    return new RankedRows(
      job,
      cache,
      scope,
      cache.rowCounts().map((heads) => heads.map(slots)),
    );
  }

  /** Rows of the cache. */
  get rows(): RowCounts {
    return this.#cache.rowCounts();
  }

  /** Rows of the cache if all that may be dropped are. */
  get least(): RowCounts {
    return rowsWithout(this.rows, this.#droppable());
  }

  /** Drops earlier rows until every head has no more than `target`, which is at least `least`. */
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
    this.#worth = this.#worth.map((heads, layer) =>
      heads.map((worth, head) => {
        const { keep } = layers[layer] as (typeof layers)[number];
        const kept = keep[keep.length === 1 ? 0 : head] as Uint32Array;
        return Float32Array.from(
          kept.filter((slot) => slot < worth.length),
          (slot) => worth[slot] as number,
        );
      }),
    );
  }

  /** Slots of earlier turns that may be dropped, oldest first. */
  #droppable(): DroppableSlots {
    const { prompt, settings } = this.#job.turn;
    const turn = { prompt, settings: { ...settings, scope: this.#scope } };
    return droppableSlots(turn, this.#cache).map((heads, layer) =>
      heads.map((slots, head) => slots.filter((slot) => slot < this.#worthOf(layer, head).length)),
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
        (total, head) => total + (this.#worthOf(layer, head)[slot] as number),
        0,
      );
      return sum / heads.length;
    });
    const goes = new Set(mayGo);
    const places = rows - (held - mayGo.length);
    for (const place of topPlaces(worth, places)) goes.delete(mayGo[place] as number);
    return Uint32Array.from({ length: held }, (_, slot) => slot).filter((slot) => !goes.has(slot));
  }

  #worthOf(layer: number, head: number): Float32Array {
    return this.#worth[layer]?.[head] as Float32Array;
  }
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
