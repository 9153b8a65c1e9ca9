import type { KvCache } from "@/model/kv/cache";
import { isOfShape, restoreSnapshot, takeSnapshot } from "@/model/kv/snapshot";
import type {
  AskRequest,
  CacheSettings,
  CompareRequest,
  LaneOutcome,
  PlanPreview,
  TurnResult,
} from "@/protocol/engine";
import { isAbort, isOutOfMemory } from "../failures";
import { Progress } from "../report/progress";
import { fullKvBytes } from "../report/report";
import { coveredTokens, type Seen } from "../request/continuation";
import { bad, positionMode } from "../request/request";
import { type PreparedTurn, prepareTurn } from "../request/turn";
import { Comparison } from "./comparison";
import { ConversationImages } from "./images";
import type { Decision, Job, PhaseIo, Prefilled, Segment } from "./job";
import { packCache, unpackCache } from "./keptCache";
import type { LoadedModel } from "./loadedModel";
import { type Choice, Phases, recordedOf } from "./phases";
import { needsPieces, prefillInPieces } from "./pieces";
import { previewPlan, type Recorded } from "./preview";
import { type EncodedSegment, keptRowsOf } from "./pruning";
import { ReferenceLane } from "./reference";
import { dropHistory, leastRows, shrinkEarlierImages, shrinkHistory } from "./shrinkHistory";

interface AdvanceArgs {
  readonly segment: Segment;
  readonly cache: KvCache;
  readonly encoded: EncodedSegment;
  /** Of the answer, at most. */
  readonly newTokens: number;
  readonly reference: ReferenceLane | undefined;
}

/** A segment in the cache, rows dropped. */
interface Advanced {
  readonly prefilled: Prefilled;
  readonly rule: Decision["rule"];
}

/**
 * One conversation with one model: images, cache, and the phases from a question to its answer.
 *
 * `#answer` runs the phases in order (see `phases.ts`). Between questions the session holds the
 * compacted cache with the tokens that it has seen, the images' features, and the last prompt's
 * taps for previews. It never holds a full and a compacted cache at the same time.
 */
export class Session {
  readonly #model: LoadedModel;
  readonly #io: PhaseIo;
  readonly #images: ConversationImages | undefined;
  readonly #phases: Phases;
  #cache: KvCache | undefined;
  /** What `#cache` has seen. */
  #held: Seen | undefined;
  #recorded: Recorded | undefined;

  constructor(model: LoadedModel, io: PhaseIo) {
    this.#model = model;
    this.#io = io;
    const { gpu, vision } = model;
    this.#images = vision && new ConversationImages(gpu, vision);
    this.#phases = new Phases(model, this.#images, io);
  }

  /**
   * Answers the last turn. If it is stopped, or memory runs out after the first token, it resolves
   * with the answer so far. Any other failure frees the cache.
   */
  async ask(request: AskRequest, signal: AbortSignal): Promise<TurnResult> {
    const progress = new Progress(request.explain);
    const reference = request.reference
      ? new ReferenceLane(this.#model, this.#images, this.#io)
      : undefined;
    try {
      await this.#answerOrPart(request, progress, signal, reference);
      this.#close(progress);
      const result = progress.result(request);
      if (!reference?.isDue) return result;
      this.#io.emit({ type: "answered", result });
      return { ...result, reference: await reference.answer() };
    } finally {
      reference?.destroy();
      if (reference?.isDue) this.#io.reporter.tell();
    }
  }

  /** Answers the last turn once per lane; the first lane's cache is kept for the next question. */
  async compare(request: CompareRequest, signal: AbortSignal): Promise<readonly LaneOutcome[]> {
    const comparison = new Comparison(this.#model, this.#images, this.#io);
    const { outcomes, cache, seen, recorded } = await comparison.run(request, signal, () =>
      this.#drop(),
    );
    this.#cache = cache;
    this.#held = seen;
    this.#recorded = recorded;
    this.#phases.mark("end", cache);
    return outcomes;
  }

  /** What `settings` would keep of the last prompt. @throws EngineError, PolicyError */
  preview(settings: CacheSettings): PlanPreview {
    if (!this.#recorded) throw bad("There is no prompt yet to preview.");
    const { shape, info } = this.#model;
    const rowBytes = info.bytesPerRow / (shape.layers * shape.kvHeads);
    return previewPlan(this.#recorded, shape, rowBytes, settings);
  }

  /** The cache outside of the GPU; undefined if there is none. Later questions do not disturb it. */
  async save(): Promise<Blob | undefined> {
    const [cache, seen] = [this.#cache, this.#held];
    if (!cache || !seen) return undefined;
    const weights = weightsOf(this.#model);
    return await packCache({ weights, seen, snapshot: await takeSnapshot(cache) });
  }

  /**
   * Goes on from a saved cache instead of the present one.
   * @returns false if other weights or another format saved it; then nothing changes
   */
  async restore(saved: Blob): Promise<boolean> {
    const kept = await unpackCache(saved);
    if (!kept || kept.weights !== weightsOf(this.#model)) return false;
    const cache = this.#model.decoder.createCache();
    if (!isOfShape(cache, kept.snapshot)) return false;
    this.#drop();
    try {
      restoreSnapshot(cache, kept.snapshot);
    } catch (error) {
      cache.destroy();
      throw error;
    }
    this.#cache = cache;
    this.#held = kept.seen;
    this.#phases.mark("end", cache);
    return true;
  }

  /** Frees the conversation; the weights stay. */
  clear(): void {
    this.#drop();
    this.#images?.clear();
    this.#io.reporter.tell();
  }

  /** Ends an answer that was stopped, or that memory cut short, with what it has. */
  async #answerOrPart(
    request: AskRequest,
    progress: Progress,
    signal: AbortSignal,
    reference: ReferenceLane | undefined,
  ): Promise<void> {
    try {
      await this.#answer(request, progress, signal, reference);
    } catch (error) {
      const isStopped = isAbort(error);
      if (!isStopped && !(isOutOfMemory(error) && progress.ids.length > 0)) throw error;
      progress.finish(isStopped ? "cancelled" : "memory");
    }
  }

  async #answer(
    request: AskRequest,
    progress: Progress,
    signal: AbortSignal,
    reference: ReferenceLane | undefined,
  ): Promise<void> {
    const phases = this.#phases;
    phases.tell("vision", 0, 1);
    const turn = await progress.time("vision", () =>
      prepareTurn(request, this.#model, this.#images, signal),
    );
    progress.prepared(turn.layouts, turn.notices);
    if (request.promptIds) progress.tellPrompt(turn.prompt.ids);
    const job = { turn, progress, signal };
    const segments = this.#segments(turn);
    try {
      for (const segment of segments) {
        const newTokens = segment === segments.at(-1) ? request.sampling.maxNewTokens : 0;
        await this.#advance(job, segment, newTokens, newTokens > 0 ? reference : undefined);
      }
    } catch (error) {
      if (!isAbort(error)) this.#drop();
      throw error;
    }
  }

  /** Runs one segment through all phases; the answer is decoded after the last segment. */
  async #advance(
    job: Job,
    segment: Segment,
    newTokens: number,
    reference: ReferenceLane | undefined,
  ): Promise<void> {
    const phases = this.#phases;
    const encoded = await phases.encode(job, segment);
    const chosen = job.turn.policy.beforePrefill && (await phases.choose(job, segment, encoded));
    const cache = this.#cacheFor(job, segment);
    try {
      const least = leastRows(job.turn, cache);
      if (!chosen && needsPieces(this.#model, job, segment, least, cache.rowBytes)) {
        reference?.refuse(job);
        return await this.#advanceInPieces(job, cache, segment, encoded, newTokens);
      }
      if (newTokens > 0) await shrinkEarlierImages(this.#model, job, cache, segment);
      const added = chosen && keptRowsOf(chosen.plan).length;
      const tokens = await shrinkHistory(this.#model, job, cache, segment, newTokens, added);
      const args = { segment, cache, encoded, newTokens: tokens, reference };
      const { prefilled, rule } = chosen
        ? await this.#prefillChosen(job, args, chosen)
        : await this.#prefillWhole(job, args);
      if (newTokens === 0) return;
      await phases.decode(job, prefilled, rule, tokens);
      if (tokens < newTokens) job.progress.wasLimitedByMemory();
    } finally {
      const seen = this.#cache?.seen ?? 0;
      if (seen === 0) this.#drop();
      else this.#note(job, seen);
    }
  }

  /** Like `#advance`, for a segment that does not fit uncompressed. */
  async #advanceInPieces(
    job: Job,
    cache: KvCache,
    segment: Segment,
    { features }: EncodedSegment,
    newTokens: number,
  ): Promise<void> {
    const phases = this.#phases;
    this.#recorded = undefined;
    try {
      await dropHistory(job, cache);
      const { prefilled, tokens } = await prefillInPieces(
        ...([this.#model, phases, job, cache, segment, features, newTokens] as const),
      );
      if (newTokens === 0) return;
      await phases.decode(job, prefilled, undefined, tokens);
      if (tokens < newTokens) job.progress.wasLimitedByMemory();
    } catch (error) {
      // Part of an image cannot be continued.
      if (job.progress.ids.length === 0) this.#drop();
      throw error;
    }
  }

  /** Prefills every row of a segment, then drops those that the policy does not keep. */
  async #prefillWhole(job: Job, args: AdvanceArgs): Promise<Advanced> {
    const { segment, cache, encoded, newTokens, reference } = args;
    const prefilled = await this.#phases.prefill(job, cache, segment, encoded);
    this.#note(job, segment.end);
    this.#recorded = recordedOf(job, prefilled);
    const decision = await this.#phases.decide(job, prefilled);
    const compacted = await this.#compact(job, prefilled, decision, newTokens, reference);
    return { prefilled: compacted, rule: decision.rule };
  }

  /** Prefills the rows that were chosen by what the vision encoder gives, and no others. */
  async #prefillChosen(
    job: Job,
    { segment, cache, encoded, reference }: AdvanceArgs,
    { plan, rule, vision }: Choice,
  ): Promise<Advanced> {
    const filled = await this.#phases.prefill(job, cache, segment, encoded, { plan });
    const prefilled = { ...filled, vision };
    this.#note(job, segment.end);
    this.#recorded = recordedOf(job, prefilled);
    this.#phases.pruned(job, prefilled, plan);
    reference?.expect(job);
    return { prefilled, rule };
  }

  /** Compacts in place, or into a fork if a reference keeps the uncompressed rows. */
  async #compact(
    job: Job,
    prefilled: Prefilled,
    decision: Decision,
    newTokens: number,
    reference: ReferenceLane | undefined,
  ): Promise<Prefilled> {
    const fork = await reference?.fork(job, prefilled, decision, newTokens);
    if (fork) {
      this.#cache = fork.cache;
      return fork;
    }
    await this.#phases.compact(job, prefilled, decision.plan);
    return prefilled;
  }

  /**
   * The segments to prefill: one, or one per turn under a cap or if less of earlier images is to stay.
   * Then every turn is compressed before the next one is prefilled, as when it was asked.
   */
  #segments({ prompt, seen, request, settings }: PreparedTurn): Segment[] {
    const start = request.fresh ? 0 : coveredTokens(this.#held, seen);
    const end = prompt.ids.length;
    const { capMb, earlierRetention } = settings;
    if (capMb === undefined && earlierRetention === undefined) return [{ start, end }];
    const cuts = [start, ...prompt.turnStarts.filter((cut) => cut > start), end];
    return cuts.slice(1).map((cut, i) => ({ start: cuts[i] as number, end: cut }));
  }

  #cacheFor({ turn, progress }: Job, { start }: Segment): KvCache {
    if (start === 0) this.#drop();
    if (progress.begin(start)) this.#model.gpu.memory.resetPeak();
    this.#cache ??= this.#model.decoder.createCache();
    this.#cache.positionMode = positionMode(turn.options);
    return this.#cache;
  }

  /** Records the cache's tokens: the first `seen` tokens of prompt and answer. */
  #note({ turn, progress }: Job, seen: number): void {
    if (!this.#cache) return;
    const ids = [...turn.seen.ids, ...progress.ids].slice(0, seen);
    const tiles = turn.seen.tiles.filter((_, i) => (turn.prompt.tiles[i]?.start ?? 0) < seen);
    this.#held = { ...turn.seen, ids, tiles };
  }

  /** Completes the report at the end of any turn. */
  #close(progress: Progress): void {
    progress.close({
      peak: this.#model.gpu.memory.peak("kv"),
      end: this.#cache?.bytes ?? 0,
      full: this.#cache ? fullKvBytes(this.#cache) : 0,
    });
    this.#phases.mark("end", this.#cache);
  }

  /** Frees the cache and its records. */
  #drop(): void {
    this.#cache?.destroy();
    this.#cache = undefined;
    this.#held = undefined;
    this.#recorded = undefined;
    this.#io.reporter.fullKv = 0;
  }
}

/** Identity of the weights as they are held. */
function weightsOf({ info }: LoadedModel): string {
  return `${info.versions.weights ?? ""} ${info.elementType}`;
}
