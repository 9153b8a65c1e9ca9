import type { KvCache } from "@/model/kv/cache";
import { isOfShape, restoreSnapshot, takeSnapshot } from "@/model/kv/snapshot";
import type { CacheSettings } from "@/protocol/request";
import type { PlanPreview } from "@/protocol/result";
import type { LoadedModel } from "../load/loadedModel";
import type { Progress } from "../report/progress";
import { fullKvBytes } from "../report/report";
import { tapsOf } from "../report/tapRecording";
import { commonTokens, coveredTokens, type Seen } from "../request/continuation";
import { bad, positionMode } from "../request/request";
import type { PreparedTurn } from "../request/turn";
import {
  type Job,
  markMemory,
  type Prefilled,
  type Segment,
  type StageContext,
} from "../stages/job";
import { cutBack, cutPoint, type TurnStart } from "./cutBack";
import { previewPlan, type Recorded } from "./preview";
import { packCache, unpackCache } from "./storedCache";

/** A conversation's state between two questions. */
export interface CacheState {
  readonly cache: KvCache | undefined;
  /** What the cache has seen. */
  readonly seen: Seen | undefined;
  /** The last prompt's taps, for previews. */
  readonly recorded: Recorded | undefined;
  /** Where its turns began, but for the first. */
  readonly starts: readonly TurnStart[];
}

export const NO_CACHE_STATE: CacheState = {
  cache: undefined,
  seen: undefined,
  recorded: undefined,
  starts: [],
};

/** The cache of a conversation, with what it has seen and how its last prompt was recorded. */
export class ConversationCache {
  readonly #context: StageContext;
  #state = NO_CACHE_STATE;

  constructor(context: StageContext) {
    this.#context = context;
  }

  /**
   * The segments to prefill: one, or one per turn under a cap or if less of earlier images is to stay.
   * Then every turn is compressed before the next one is prefilled, as when it was asked.
   */
  segments(turn: PreparedTurn): Segment[] {
    const { prompt, request, settings } = turn;
    const start = request.fresh ? 0 : this.#reusable(turn);
    const end = prompt.ids.length;
    const { capMb, earlierRetention } = settings;
    if (capMb === undefined && earlierRetention === undefined) return [{ start, end }];
    const cuts = [start, ...prompt.turnStarts.filter((cut) => cut > start), end];
    return cuts.slice(1).map((cut, i) => ({ start: cuts[i] as number, end: cut }));
  }

  /** Tokens of a prompt whose rows are held, or can be after later ones are forgotten. */
  #reusable({ prompt, seen, policy }: PreparedTurn): number {
    const { cache, seen: held, starts } = this.#state;
    const covered = coveredTokens(held, seen);
    if (covered > 0 || !cache || !held) return covered;
    const tileStarts = prompt.tiles.map(({ start }) => start);
    const common = commonTokens(held, seen, tileStarts);
    return cutPoint(cache, { common, starts, isFull: policy.id === "full" });
  }

  /** The cache that a segment is appended to, without what it has seen behind the segment's start. */
  async begin(job: Job, { start }: Segment): Promise<KvCache> {
    if (start === 0) this.drop();
    const { decoder, gpu } = this.#context.model;
    if (job.progress.begin(start)) gpu.memory.resetPeak();
    const cache = this.#state.cache ?? decoder.createCache();
    this.#state = { ...this.#state, cache };
    if (start < cache.seen) {
      await cutBack(cache, start);
      this.note(job, start);
    }
    cache.positionMode = positionMode(job.turn.options);
    const before = this.#state.starts.filter(({ tokens }) => tokens < start);
    const rows = cache
      .rowCounts()
      .flat()
      .reduce((sum, count) => sum + count, 0);
    this.#state = { ...this.#state, starts: start > 0 ? [...before, { tokens: start, rows }] : [] };
    return cache;
  }

  /** Continues with another cache; whoever calls has freed the present one, or goes on using it. */
  replace(state: Partial<CacheState>): void {
    this.#state = { ...this.#state, ...state };
  }

  /** Notes that the cache has seen the first `count` tokens of prompt and answer. */
  note({ turn, progress }: Job, count: number): void {
    if (!this.#state.cache) return;
    const ids = [...turn.seen.ids, ...progress.ids].slice(0, count);
    const tiles = turn.seen.tiles.filter((_, i) => (turn.prompt.tiles[i]?.start ?? 0) < count);
    this.#state = { ...this.#state, seen: { ...turn.seen, ids, tiles } };
  }

  /** Notes what is left after a segment, whether it succeeded or not. */
  settle(job: Job): void {
    const count = this.#state.cache?.seen ?? 0;
    if (count === 0) this.drop();
    else this.note(job, count);
  }

  /** What `settings` would keep of the last prompt. @throws EngineError, PolicyError */
  preview(settings: CacheSettings): PlanPreview {
    const { recorded } = this.#state;
    if (!recorded) throw bad("There is no prompt yet to preview.");
    const { shape, info } = this.#context.model;
    const rowBytes = info.bytesPerRow / (shape.layers * shape.kvHeads);
    return previewPlan(recorded, shape, rowBytes, settings);
  }

  /** The cache outside of the GPU; undefined if there is none. Later questions do not disturb it. */
  async save(): Promise<Blob | undefined> {
    const { cache, seen, starts } = this.#state;
    if (!cache || !seen) return undefined;
    const { model, images } = this.#context;
    const unfamiliar = [...new Set(seen.tiles)].filter((hash) => images?.isUnfamiliar(hash));
    const snapshot = await takeSnapshot(cache);
    return await packCache({ weights: weightsOf(model), seen, starts, unfamiliar, snapshot });
  }

  /**
   * Goes on from a saved cache instead of the present one.
   * @returns false if other weights or another format saved it; then nothing changes
   */
  async restore(saved: Blob): Promise<boolean> {
    const { model, images } = this.#context;
    const kept = await unpackCache(saved);
    if (!kept || kept.weights !== weightsOf(model)) return false;
    const cache = model.decoder.createCache();
    if (!isOfShape(cache, kept.snapshot)) return false;
    this.drop();
    try {
      await restoreSnapshot(cache, kept.snapshot);
    } catch (error) {
      cache.destroy();
      throw error;
    }
    this.#state = { ...NO_CACHE_STATE, cache, seen: kept.seen, starts: kept.starts };
    images?.markUnfamiliar(kept.unfamiliar);
    markMemory(this.#context, "end", cache);
    return true;
  }

  /** Reports the bytes that are left when other caches are gone. */
  report(): void {
    markMemory(this.#context, "end", this.#state.cache);
  }

  /** Completes the report at the end of any turn. */
  close(progress: Progress): void {
    const { cache } = this.#state;
    progress.close({
      peak: this.#context.model.gpu.memory.peak("kv"),
      end: cache?.bytes ?? 0,
      full: cache ? fullKvBytes(cache) : 0,
    });
    this.report();
  }

  /** Frees the cache and its records. */
  drop(): void {
    this.#state.cache?.destroy();
    this.#state = NO_CACHE_STATE;
    this.#context.io.reporter.fullKv = 0;
  }
}

/** The data of a prefill that previews of other settings need. */
export function recordedOf({ turn }: Job, { span, taps, before, vision }: Prefilled): Recorded {
  const { scope } = turn.settings;
  const { seed } = turn.request.sampling;
  return { span, taps, before, seed, scope, vision, spec: tapsOf(turn, span).spec };
}

/** Identity of the weights as they are held. */
function weightsOf({ info }: LoadedModel): string {
  return `${info.versions.weights ?? ""} ${info.elementType}`;
}
