import type { KvCache } from "@/model/kv/cache";
import type { RowCounts } from "@/model/kv/layout";
import type { EngineEvent } from "@/protocol/event";
import type { LaneOutcome, MissingReference, Reference } from "@/protocol/result";
import { isAbort, isOutOfMemory } from "../failures";
import { Progress } from "../report/progress";
import { fullKvBytes, layerReports } from "../report/report";
import { SavedLogits } from "../report/savedLogits";
import { rowsAfter, tokensWithin } from "../request/cacheBytes";
import { peakBytes } from "../request/cap";
import { kvCeiling } from "../request/ceiling";
import { type CheckedSettings, checkSettings } from "../request/request";
import { compactToFork } from "../stages/compact";
import { decodeAnswer } from "../stages/decode";
import { encodeImages } from "../stages/encode";
import {
  type Decision,
  type Job,
  type Prefilled,
  type StageContext,
  type StageIo,
  tellStage,
} from "../stages/job";
import { prefillSegment } from "../stages/prefill";

/** A prefill whose rows stay uncompressed, with the logits of its last row. */
interface Kept {
  readonly job: Job;
  readonly prefilled: Prefilled;
  readonly logits: SavedLogits | undefined;
}

/**
 * Answers one question from the full cache, after it was answered from a compressed one. If the
 * cache held nothing before the question, the compressed cache is a fork, and the reference
 * decodes from the uncompressed rows of the same prefill. Otherwise earlier turns were compressed:
 * the whole conversation is prefilled once more. Its bytes are in the pool `reference`.
 */
export class ReferenceLane {
  readonly #context: StageContext;
  /** Of its own stages: only its tokens are told. */
  readonly #io: StageIo;
  /** The question, once it is known that rows were dropped. */
  #job: Job | undefined;
  #kept: Kept | undefined;
  #cache: KvCache | undefined;
  #missing: MissingReference["missing"] | undefined;

  constructor(context: StageContext) {
    this.#context = context;
    this.#io = {
      ...context.io,
      emit: (event) => this.#tell(event),
      reporter: { fullKv: 0, mark: () => undefined, tell: () => undefined },
    };
  }

  /** Whether rows were dropped, so that there is something to compare. */
  get isDue(): boolean {
    return this.#job !== undefined;
  }

  /** Rows of the question were never computed: the conversation is prefilled once more. */
  expect(job: Job): void {
    this.#job = job;
  }

  /**
   * Compresses a prefill into a fork and keeps its uncompressed rows. Undefined if the caller must
   * compact in place: nothing is dropped, the cache held rows before, or both do not fit.
   * @param newTokens of the compressed answer
   */
  async fork(
    job: Job,
    prefilled: Prefilled,
    { plan, rule }: Decision,
    newTokens: number,
  ): Promise<Prefilled | undefined> {
    const rows = rowsAfter(plan, prefilled.before);
    const { start, rows: added } = prefilled.span;
    if (!rule && rows.flat().every((count) => count === start + added)) return undefined;
    this.#job = job;
    if (start > 0 || !this.#fits(job, prefilled.cache, [rows], newTokens)) return undefined;
    const logits = await this.#saveLogits();
    if (!logits) return undefined;
    try {
      const progress = job.progress.fork();
      const fork = await compactToFork(job, prefilled, plan, "reference");
      this.#keep({ job: this.#fullJob(job, progress), prefilled, logits });
      return { ...prefilled, cache: fork };
    } catch (error) {
      logits.destroy();
      if (!isOutOfMemory(error)) throw error;
      this.#missing = "memory";
      return undefined;
    }
  }

  /** The uncompressed rows do not exist at once, so there will be no reference. */
  refuse(job: Job): void {
    this.#job = job;
    this.#missing = job.turn.settings.capMb === undefined ? "memory" : "cap";
  }

  /**
   * Takes over the cache from which lanes were gathered, unless it does not fit beside them; the
   * caller then frees it.
   * @param lanes rows of each lane
   */
  async takeOver(job: Job, prefilled: Prefilled, lanes: readonly RowCounts[]): Promise<boolean> {
    this.#job = job;
    const { cache } = prefilled;
    if (!this.#fits(job, cache, lanes, job.turn.request.sampling.maxNewTokens)) return false;
    const logits = await this.#saveLogits();
    if (!logits) return false;
    cache.countIn("reference");
    this.#keep({ job: this.#fullJob(job, job.progress.fork()), prefilled, logits });
    return true;
  }

  /** The reference; its cache is freed by `destroy`. */
  async answer(): Promise<Reference> {
    if (this.#missing) return { missing: this.#missing };
    try {
      return await this.#answer(this.#job as Job);
    } catch (error) {
      if (isAbort(error)) return { missing: "stopped" };
      if (isOutOfMemory(error)) return { missing: "memory" };
      throw error;
    }
  }

  /** Adds the reference to every lane's result. */
  async addTo(outcomes: readonly LaneOutcome[]): Promise<readonly LaneOutcome[]> {
    if (!this.isDue) return outcomes;
    const reference = await this.answer();
    return outcomes.map((outcome) =>
      outcome.result ? { result: { ...outcome.result, reference } } : outcome,
    );
  }

  /** Frees the full cache. */
  destroy(): void {
    this.#kept?.logits?.destroy();
    this.#cache?.destroy();
    this.#kept = undefined;
    this.#cache = undefined;
  }

  async #answer(asked: Job): Promise<Reference> {
    const { memory } = this.#context.model.gpu;
    const { maxNewTokens } = asked.turn.request.sampling;
    asked.signal.throwIfAborted();
    tellStage(this.#context, "reference", 0, maxNewTokens);
    const tokens = this.#tokensWithin(asked, maxNewTokens);
    const limit = asked.turn.settings.capMb === undefined ? "memory" : "cap";
    if (tokens === 0) return { missing: limit };
    const { job, prefilled, logits } = this.#kept ?? (await this.#prefill(asked));
    const { cache } = prefilled;
    const { progress, turn } = job;
    cache.positionMode = "original";
    logits?.restore();
    if (logits) progress.resume();
    progress.compacted(cache.bytes, layerReports(cache, cache.rowCounts()));
    await decodeAnswer(job, { prefilled, maxNewTokens: tokens });
    progress.close({
      peak: memory.peak("reference"),
      end: cache.bytes,
      full: fullKvBytes(cache),
    });
    const result = progress.result(turn);
    if (result.finish === "cancelled") return { missing: "stopped" };
    if (result.finish === "length" && tokens < maxNewTokens) return { missing: limit };
    return { result, source: logits ? "fork" : "prefill", peakBytes: memory.cachesPeak };
  }

  /** New tokens for which the full cache fits beside the compressed one. */
  #tokensWithin(job: Job, newTokens: number): number {
    const { shape, info } = this.#context.model;
    const { layers, kvHeads } = shape;
    const rowBytes = info.bytesPerRow / (layers * kvHeads);
    const rows = Array.from({ length: layers }, () =>
      new Array<number>(kvHeads).fill(job.turn.prompt.ids.length),
    );
    const { memory } = this.#context.model.gpu;
    const { kv, reference } = memory.bytes;
    const { capMb = Number.POSITIVE_INFINITY } = job.turn.settings;
    const left = Math.min(capMb * 1e6, kvCeiling({}, memory).bytes + reference) - kv;
    return tokensWithin(rows, newTokens, rowBytes, left);
  }

  /** Prefills the whole conversation without compression. */
  async #prefill(asked: Job): Promise<Kept> {
    const cache = this.#context.model.decoder.createCache();
    cache.countIn("reference");
    this.#cache = cache;
    const job = this.#fullJob(asked, new Progress(asked.progress.explains));
    job.progress.prepared(asked.turn.layouts, []);
    const segment = { start: 0, end: asked.turn.prompt.ids.length };
    const encoded = await encodeImages(job, segment);
    const prefilled = await prefillSegment(job, { cache, segment, encoded });
    return { job, prefilled, logits: undefined };
  }

  /** The logits of the prefill; undefined without memory for them. */
  #saveLogits(): Promise<SavedLogits | undefined> {
    return SavedLogits.take(this.#context.model).catch((error: unknown) => {
      if (!isOutOfMemory(error)) throw error;
      this.#missing = "memory";
      return undefined;
    });
  }

  #keep(kept: Kept): void {
    this.#kept = kept;
    this.#cache = kept.prefilled.cache;
  }

  /** Whether the lanes can grow to their longest answer beside the uncompressed rows. */
  #fits(job: Job, full: KvCache, lanes: readonly RowCounts[], newTokens: number): boolean {
    const grown = lanes.map((rows) => peakBytes(rows, newTokens, full.rowBytes));
    const ceiling = kvCeiling(job.turn.settings, this.#context.model.gpu.memory);
    const isBelow = grown.reduce((sum, bytes) => sum + bytes, full.bytes) <= ceiling.bytes;
    if (!isBelow) this.#missing = ceiling.isCap ? "cap" : "memory";
    return isBelow;
  }

  /** The same question under the full cache. */
  #fullJob({ turn, ...rest }: Job, progress: Progress): Job {
    const { scope } = turn.settings;
    const full = checkSettings({ policy: "full", retention: 1, scope, options: {} });
    return { ...rest, turn: { ...turn, ...full }, progress, io: this.#io };
  }

  /** Of the reference's events only its tokens are told, as progress. */
  #tell(event: EngineEvent): void {
    const total = this.#job?.turn.request.sampling.maxNewTokens;
    if (event.type !== "token" || total === undefined) return;
    tellStage(this.#context, "reference", event.index + 1, total);
  }
}

/** Whether settings may drop rows; otherwise the answer is the full cache's own. */
export function isCompressing({ policy, settings }: CheckedSettings): boolean {
  return policy.id !== "full" && settings.retention < 1;
}
