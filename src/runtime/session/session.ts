import type { EngineEvent } from "@/protocol/event";
import type { AskRequest, CacheSettings, CompareRequest } from "@/protocol/request";
import type { LaneOutcome, PlanPreview, TurnResult } from "@/protocol/result";
import { isAbort, isOutOfMemory } from "../failures";
import type { LoadedModel } from "../load/loadedModel";
import { Progress } from "../report/progress";
import { prepareTurn } from "../request/turn";
import { markMemory, type StageContext, type StageIo, tellStage } from "../stages/job";
import { compareLanes } from "./comparison";
import { ConversationCache } from "./conversationCache";
import { ConversationImages } from "./images";
import { answerApart, areApart } from "./lanesApart";
import { ReferenceLane } from "./reference";
import { runSegment } from "./segment";

/**
 * One conversation with one model. Between questions it holds the compacted cache, the images'
 * features, and the last prompt's taps for previews. It never holds a full and a compacted cache
 * at the same time, but for a reference.
 */
export class Session {
  readonly #context: StageContext;
  #cache: ConversationCache;

  /** @param shared images of another session of the same conversation */
  constructor(model: LoadedModel, io: StageIo, shared?: ConversationImages) {
    const { gpu, vision } = model;
    const images = shared ?? (vision && new ConversationImages(gpu, vision));
    this.#context = { model, images, io };
    this.#cache = new ConversationCache(this.#context);
  }

  /**
   * Answers the last turn. If it is stopped, or memory runs out after the first token, it resolves
   * with the answer so far. Any other failure frees the cache.
   */
  async ask(request: AskRequest, signal: AbortSignal): Promise<TurnResult> {
    const { io } = this.#context;
    const progress = new Progress(request.explain);
    const reference = request.reference ? new ReferenceLane(this.#context) : undefined;
    try {
      await this.#answerOrPart(request, progress, signal, reference);
      this.#cache.close(progress);
      const result = progress.result(request);
      if (!reference?.isDue) return result;
      io.emit({ type: "answered", result });
      return { ...result, reference: await reference.answer() };
    } finally {
      reference?.destroy();
      if (reference?.isDue) io.reporter.tell();
    }
  }

  /** Answers the last turn once per lane; the first lane's cache is kept for the next question. */
  async compare(request: CompareRequest, signal: AbortSignal): Promise<readonly LaneOutcome[]> {
    if (areApart(request)) {
      const ask = (asked: AskRequest, lane: number) => this.#askInLane(asked, lane, signal);
      return await answerApart(request, ask).finally(() => this.#cache.report());
    }
    const release = () => this.#cache.drop();
    const { outcomes, ...state } = await compareLanes(this.#context, request, signal, release);
    this.#cache.replace(state);
    markMemory(this.#context, "end", state.cache);
    return outcomes;
  }

  /** Asks in a session that is a lane's own; the first lane's cache is kept for the next question. */
  async #askInLane(request: AskRequest, index: number, signal: AbortSignal): Promise<TurnResult> {
    const { model, images, io } = this.#context;
    const emit = (event: EngineEvent) => {
      if (event.type !== "answered") io.emit({ ...event, lane: index } as EngineEvent);
    };
    const lane = new Session(model, { ...io, emit }, images);
    if (index === 0) this.#cache.drop();
    try {
      return await lane.ask(request, signal);
    } finally {
      if (index === 0) this.#cache = lane.#cache;
      else lane.#cache.drop();
    }
  }

  /** What `settings` would keep of the last prompt. @throws EngineError, PolicyError */
  preview(settings: CacheSettings): PlanPreview {
    return this.#cache.preview(settings);
  }

  /** The cache outside of the GPU; undefined if there is none. Later questions do not disturb it. */
  save(): Promise<Blob | undefined> {
    return this.#cache.save();
  }

  /**
   * Goes on from a saved cache instead of the present one.
   * @returns false if other weights or another format saved it; then nothing changes
   */
  restore(saved: Blob): Promise<boolean> {
    return this.#cache.restore(saved);
  }

  /** Frees the conversation; the weights stay. */
  clear(): void {
    this.#cache.drop();
    this.#context.images?.clear();
    this.#context.io.reporter.tell();
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
    const { model, images } = this.#context;
    tellStage(this.#context, "vision", 0, 1);
    const turn = await progress.time("vision", () => prepareTurn(request, model, images, signal));
    progress.prepared(turn.layouts, turn.notices);
    if (request.promptIds) progress.tellPrompt(turn.prompt.ids);
    const job = { ...this.#context, turn, progress, signal };
    const segments = this.#cache.segments(turn);
    try {
      for (const segment of segments) {
        const isLast = segment === segments.at(-1);
        const newTokens = isLast ? request.sampling.maxNewTokens : 0;
        await runSegment(job, {
          ...{ owner: this.#cache, segment, newTokens },
          reference: isLast ? reference : undefined,
        });
      }
    } catch (error) {
      if (!isAbort(error)) this.#cache.drop();
      throw error;
    }
  }
}
