import type { StoreApi } from "zustand/vanilla";
import type { Engine } from "@/protocol/engine";
import type { EngineEvent } from "@/protocol/event";
import { EngineError, toFailure } from "@/protocol/failure";
import type { CacheSettings, Sampling } from "@/protocol/request";
import type { LaneOutcome } from "@/protocol/result";
import {
  type Attempt,
  type ChatConversation,
  type Exchange,
  withRun,
} from "../conversation/conversation";
import { type Origin, originOf } from "../conversation/origin";
import { nextQueued } from "../conversation/queue";
import { endedRun, reduceRun, STARTED } from "../conversation/run";
import type { Charts } from "../engine/charts";
import type { Load } from "../engine/load";
import { loadedModel } from "../engine/model";
import { FULL } from "../settings/settings";
import { askEngine, type HidePatches } from "./asking";
import { cacheDigest, openingDigest } from "./cacheDigest";
import type { ChatState } from "./chatState";
import type { StoredCaches } from "./storedCaches";

export interface RunnerOptions {
  readonly load: Load;
  readonly charts: Charts;
  /** Sampling of the next answer, and whether the full cache answers, too. */
  readonly sampling: () => Sampling;
  readonly wantsReference: () => boolean;
  readonly now: () => number;
  readonly hidePatches: HidePatches;
  readonly caches: StoredCaches;
}

/** Runs a chat's attempts, one after the other, and writes what the engine tells to its store. */
export class AttemptRunner {
  readonly #options: RunnerOptions;
  readonly #store: StoreApi<ChatState>;
  /** Attempts that must not be appended to the engine's cache. */
  readonly #fresh = new Set<string>();
  /** Running attempts, by lane. */
  #working: readonly string[] = [];
  #busy = false;
  /** What runs is to end; the engine does not know it while it restores a cache. */
  #isStopped = false;
  /** Number of conversations whose rows the engine is still freeing. */
  #freeing = 0;

  constructor(options: RunnerOptions, store: StoreApi<ChatState>) {
    this.#options = options;
    this.#store = store;
  }

  /** Starts the oldest waiting attempt, if the engine is free and has a model. */
  pump(): void {
    const engine = this.#freeEngine();
    const next = nextQueued(this.#store.getState().conversation);
    if (!engine || !next) return;
    this.#busy = true;
    void this.#run(engine, next.exchange, next.attempts).finally(() => {
      this.#busy = false;
      this.pump();
    });
  }

  /** An attempt's next run starts with a prefill of the whole conversation. */
  runAfresh(attemptId: string): void {
    this.#fresh.add(attemptId);
  }

  /** Stops what runs. It never fails: an engine that is lost runs nothing. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#options.load
      .engine()
      ?.cancel()
      .catch(() => undefined);
  }

  /** Stops what runs if none of its attempts is in the conversation any more. */
  cancelIfGone(): void {
    const left = this.#store.getState().conversation.exchanges.flatMap((each) => each.attempts);
    const isGone = this.#working.some((each) => !left.some(({ id }) => id === each));
    if (isGone) void this.stop();
  }

  /** Stops what runs and frees the engine's rows. Nothing starts before that; the charts are empty at once. */
  async clear(): Promise<void> {
    const { load, caches, charts } = this.#options;
    const isRunning = this.#store.getState().running !== undefined;
    this.#freeing += 1;
    charts.reset();
    caches.freed();
    const engine = load.engine();
    try {
      if (isRunning) await this.stop();
      // A model that loads has no rows, and a worker that is too busy to free them would be ended.
      if (load.store.getState().phase !== "loading") await engine?.clear();
    } catch {
      // an engine that is lost has no rows
    }
    this.#freeing -= 1;
    charts.reset();
    this.pump();
  }

  async borrow(use: (engine: Engine) => Promise<void>): Promise<boolean> {
    const engine = this.#freeEngine();
    if (!engine) return false;
    this.#busy = true;
    this.#options.charts.startRun();
    await use(engine).finally(() => {
      this.#busy = false;
      this.pump();
    });
    return true;
  }

  record(event: EngineEvent): void {
    // Rows that are being freed are not those of the conversation.
    if (this.#freeing === 0) this.#options.charts.record(event);
    const lane = "lane" in event ? event.lane : undefined;
    // A shared phase applies to all lanes.
    const ids = lane === undefined ? this.#working : this.#working.slice(lane, lane + 1);
    if (ids.length === 0) return;
    this.#change((current) =>
      ids.reduce((all, id) => withRun(all, id, (run) => reduceRun(run, event)), current),
    );
    if (event.type === "token" && ids[0] !== this.#store.getState().running) {
      this.#store.setState({ running: ids[0] });
    }
  }

  #freeEngine(): Engine | undefined {
    const { load } = this.#options;
    const isReady = load.store.getState().phase === "ready";
    return this.#busy || this.#freeing > 0 || !isReady ? undefined : load.engine();
  }

  #change(edit: (conversation: ChatConversation) => ChatConversation): void {
    this.#store.setState(({ conversation }) => ({ conversation: edit(conversation) }));
  }

  /** @param attempts one, or the lanes of a comparison */
  async #run(engine: Engine, exchange: Exchange, attempts: readonly Attempt[]): Promise<void> {
    const { load, charts, sampling, now, caches } = this.#options;
    charts.startRun();
    this.#isStopped = false;
    const model = load.store.getState();
    const chosen = sampling();
    const origin = model.phase === "ready" ? originOf(model.info, chosen, now()) : undefined;
    const ids = attempts.map(({ id }) => id);
    const { conversation: asked } = this.#store.getState();
    this.#working = ids;
    this.#change((current) => ids.reduce((all, id) => withRun(all, id, () => STARTED), current));
    this.#store.setState({ running: ids[0], shown: laneToShow(attempts) });
    const outcomes = await this.#outcomes(engine, exchange, attempts, chosen);
    const isAnswered = this.#finish(attempts, outcomes, origin);
    for (const id of ids) this.#fresh.delete(id);
    this.#working = [];
    this.#store.setState({ running: undefined });
    const { conversation } = this.#store.getState();
    // One that was left meanwhile has no rows any more.
    if (!isAnswered || conversation.id !== asked.id) return;
    const digests = this.#digests(conversation, attempts[0]!.settings);
    void caches.save(engine, conversation.id, digests);
  }

  async #outcomes(
    engine: Engine,
    exchange: Exchange,
    attempts: readonly Attempt[],
    sampling: Sampling,
  ): Promise<readonly LaneOutcome[]> {
    const { load, caches, hidePatches, wantsReference } = this.#options;
    const losses = load.lossCount();
    try {
      const { conversation } = this.#store.getState();
      const isFresh = attempts.some(({ id }) => this.#fresh.has(id));
      const digests = this.#digests(conversation, attempts[0]!.settings, exchange.id);
      const isLater = conversation.exchanges[0]?.id !== exchange.id;
      const continues = !isFresh && (isLater || this.#mayBegin(attempts));
      const resuming = continues ? caches.resume(engine, conversation.id, digests) : undefined;
      if (resuming) await resuming;
      if (this.#isStopped) throw new EngineError({ code: "cancelled", message: "Stopped." });
      return await askEngine(engine, {
        ...{ conversation, exchange, attempts, isFresh, hidePatches, sampling },
        model: loadedModel(load.store.getState()),
        wantsReference: wantsReference(),
      });
    } catch (error) {
      const failure = toFailure(error);
      // The engine also emits an event for a lost device; each loss is handled once.
      if (failure.code === "deviceLost" && load.lossCount() === losses) load.recover();
      return attempts.map(() => ({ failure }));
    }
  }

  /**
   * Whether a conversation's first question may begin with a stored cache: a compressed one serves the question alone that
   * it was compressed for, and lanes need the attention of a prefill.
   */
  #mayBegin(attempts: readonly Attempt[]): boolean {
    const { count } = this.#options.caches.store.getState();
    return count > 0 && attempts.length === 1 && keepsEverything(attempts[0]!.settings);
  }

  /** Of the cache before an exchange, or after the newest answer, under the settings of the first lane. */
  #digests(conversation: ChatConversation, settings: CacheSettings, before?: string) {
    const model = this.#options.load.store.getState();
    return async () => {
      if (model.phase !== "ready") throw new Error("No model is loaded.");
      const exchange = before === undefined ? {} : { before };
      const origin = { model: model.info, settings, conversation, ...exchange };
      const whole = await cacheDigest(origin);
      return keepsEverything(settings) ? [whole, await openingDigest(origin)] : [whole];
    };
  }

  /** Writes the outcomes to the conversation and the charts. @returns whether there is an answer */
  #finish(
    attempts: readonly Attempt[],
    outcomes: readonly LaneOutcome[],
    origin: Origin | undefined,
  ): boolean {
    const { load, charts } = this.#options;
    const last = outcomes.findLast(({ result }) => result !== undefined)?.result;
    const timingsOf = (lane: number) => charts.timings(attempts.length > 1 ? lane : undefined);
    if (last) {
      const full = outcomes.findIndex(({ result }) => result?.retention === 1);
      charts.finishRun(last, full < 0 ? [] : timingsOf(full).tokenMs);
      load.answered();
    }
    this.#change((current) =>
      attempts.reduce(
        (all, { id }, lane) =>
          withRun(all, id, (before) => {
            const measured = { timings: timingsOf(lane), ...(origin && { origin }) };
            return endedRun(before, outcomes[lane]!, measured);
          }),
        current,
      ),
    );
    return last !== undefined;
  }
}

/** Whether the cache under these settings drops no row; under a cap it may. */
function keepsEverything({ policy, capMb }: CacheSettings): boolean {
  return policy === FULL && capMb === undefined;
}

/**
 * Of several lanes, the first that drops rows, because the overlay of a full cache shows nothing.
 */
function laneToShow(attempts: readonly Attempt[]): string | undefined {
  if (attempts.length < 2) return undefined;
  return attempts.find(({ settings }) => settings.retention < 1)?.id;
}
