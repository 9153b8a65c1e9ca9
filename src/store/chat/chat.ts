import { createStore } from "zustand/vanilla";
import type { Engine } from "@/protocol/engine";
import type { EngineEvent } from "@/protocol/event";
import { toFailure } from "@/protocol/failure";
import type { CacheSettings, Sampling } from "@/protocol/request";
import type { LaneOutcome } from "@/protocol/result";
import {
  type Attempt,
  type ChatConversation,
  type ConversationImage,
  type Exchange,
  emptyConversation,
  type Run,
  reduceRun,
  STARTED,
  withAttempt,
  withEdited,
  withExchange,
  withRun,
} from "../conversation/conversation";
import { waitingImages, withImages, withoutImage } from "../conversation/conversationImages";
import type { Hidden } from "../conversation/occlusion";
import { originOf } from "../conversation/origin";
import { nextQueued, requeue } from "../conversation/queue";
import type { Charts } from "../engine/charts";
import type { Load } from "../engine/load";
import { loadedModel } from "../engine/model";
import type { ReadonlyStore } from "../readonlyStore";
import { askEngine, type HidePatches } from "./asking";
import type { KeptCaches } from "./keptCaches";

export interface ChatState {
  readonly conversation: ChatConversation;
  /** The running attempt; in a comparison, the running lane. */
  readonly running: string | undefined;
  /** Attempt whose rows the viewer shows; undefined: the newest with rows. */
  readonly shown: string | undefined;
  /** The previous conversation, if choosing an image ended it. */
  readonly left: ChatConversation | undefined;
}

/**
 * Whether an answer is on its way. While only its reference still runs, the next question can be asked, and
 * waits.
 */
export function isAnswering({ running, conversation }: ChatState): boolean {
  return conversation.exchanges.some(({ attempts }) =>
    attempts.some(({ id, run }) => id === running && run.phase !== "done"),
  );
}

export interface Chat {
  readonly store: ReadonlyStore<ChatState>;
  /** Asks about the images in the viewer; waits for the model if necessary. */
  ask(question: string, settings: CacheSettings): void;
  /** Answers an earlier question again. */
  askAgain(exchangeId: string, settings: CacheSettings): void;
  /** Answers again with a copy of the image in which patches are hidden. */
  askWithout(exchangeId: string, settings: CacheSettings, hidden: Hidden): void;
  /** Asks a question and answers it under each of `lanes`, two to four, from one prefill. */
  compare(question: string, lanes: readonly CacheSettings[]): void;
  /** Answers an earlier question again in lanes. */
  compareAgain(exchangeId: string, lanes: readonly CacheSettings[]): void;
  /**
   * Replaces a question and asks the new one, with the settings of `lanes`. Later exchanges are
   * removed from the conversation.
   * @returns the id of the new exchange, if the old one existed
   */
  edit(exchangeId: string, question: string, lanes: readonly CacheSettings[]): string | undefined;
  /** Runs a failed attempt again; a lane runs alone. */
  retry(attemptId: string, settings: CacheSettings): void;
  stop(): void;
  /** Replaces the conversation and frees the engine's cache. */
  open(conversation: ChatConversation, because?: "image"): void;
  rename(conversationId: string, name: string): void;
  /** Adds images before the next question. */
  addImages(images: readonly ConversationImage[]): void;
  /** Removes an image without a question, and returns it if it existed. */
  removeImage(imageId: string): ConversationImage | undefined;
  show(attemptId: string): void;
  /** Uses the engine between two answers; does nothing while it is busy or has no model. */
  borrow(use: (engine: Engine) => Promise<void>): Promise<void>;
  record(event: EngineEvent): void;
}

export interface ChatOptions {
  readonly load: Load;
  readonly charts: Charts;
  /** Sampling of the next answer, and whether the full cache answers, too. */
  readonly sampling: () => Sampling;
  readonly wantsReference: () => boolean;
  readonly newId: () => string;
  readonly now: () => number;
  readonly hidePatches: HidePatches;
  readonly caches: KeptCaches;
}

export function createChat(options: ChatOptions): Chat {
  const { load, charts, sampling, wantsReference, newId, now, hidePatches, caches } = options;
  const store = createStore<ChatState>(() => ({
    conversation: emptyConversation(newId(), now()),
    running: undefined,
    shown: undefined,
    left: undefined,
  }));
  /** Attempts that must not be appended to the engine's cache. */
  const fresh = new Set<string>();
  /** Running attempts, by lane. */
  let working: readonly string[] = [];
  let busy = false;
  /** Number of conversations whose rows the engine is still freeing. */
  let freeing = 0;

  const change = (edit: (conversation: ChatConversation) => ChatConversation) =>
    store.setState(({ conversation }) => ({ conversation: edit(conversation) }));

  const queued = (settings: CacheSettings): Attempt => ({
    id: newId(),
    settings,
    run: { phase: "queued" },
  });

  const queuedLanes = (lanes: readonly CacheSettings[]): readonly Attempt[] => {
    const comparison = newId();
    return lanes.map((settings) => ({ ...queued(settings), comparison }));
  };

  /** Starts the oldest waiting attempt, if the engine is free and has a model. */
  function pump() {
    const engine = load.engine();
    const next = nextQueued(store.getState().conversation);
    if (busy || freeing > 0 || !engine || !next || load.store.getState().phase !== "ready") return;
    busy = true;
    void run(engine, next.exchange, next.attempts).finally(() => {
      busy = false;
      pump();
    });
  }

  /** @param attempts one, or the lanes of a comparison */
  async function run(engine: Engine, exchange: Exchange, attempts: readonly Attempt[]) {
    const losses = load.lossCount();
    charts.startRun();
    const model = load.store.getState();
    const chosen = sampling();
    const origin = model.phase === "ready" ? { origin: originOf(model.info, chosen, now()) } : {};
    working = attempts.map(({ id }) => id);
    change((current) => working.reduce((all, id) => withRun(all, id, () => STARTED), current));
    store.setState({ running: working[0], shown: laneToShow(attempts) });
    let outcomes: readonly LaneOutcome[];
    try {
      const { conversation } = store.getState();
      const isFresh = attempts.some(({ id }) => fresh.has(id));
      const continues = !isFresh && conversation.exchanges[0]?.id !== exchange.id;
      const resuming = continues ? caches.resume(engine, conversation.id) : undefined;
      if (resuming) await resuming;
      outcomes = await askEngine(engine, {
        ...{ conversation, exchange, attempts, isFresh, hidePatches },
        sampling: chosen,
        model: loadedModel(model),
        wantsReference: wantsReference(),
      });
    } catch (error) {
      const failure = toFailure(error);
      outcomes = attempts.map(() => ({ failure }));
      // The engine also emits an event for a lost device; each loss is handled once.
      if (failure.code === "deviceLost" && load.lossCount() === losses) load.recover();
    }
    const last = outcomes.findLast(({ result }) => result !== undefined)?.result;
    const timingsOf = (lane: number) => charts.timings(attempts.length > 1 ? lane : undefined);
    if (last) {
      const full = outcomes.findIndex(({ result }) => result?.retention === 1);
      charts.finishRun(last, full < 0 ? [] : timingsOf(full).tokenMs);
      load.answered();
    }
    change((current) =>
      attempts.reduce(
        (all, { id }, lane) =>
          withRun(all, id, (before) => {
            const measured = { timings: timingsOf(lane), ...origin };
            return ended(before, outcomes[lane]!, measured);
          }),
        current,
      ),
    );
    for (const { id } of attempts) fresh.delete(id);
    working = [];
    store.setState({ running: undefined });
    if (last) void caches.keep(engine, store.getState().conversation.id);
  }

  function begin(question: string, attempts: readonly Attempt[]) {
    const images = waitingImages(store.getState().conversation).map(({ id }) => id);
    change((current) => withExchange(current, { id: newId(), images, question, attempts }));
    pump();
  }

  async function free(isRunning: boolean) {
    const engine = load.engine();
    if (!engine) return;
    if (isRunning) await engine.cancel();
    await engine.clear();
  }

  load.store.subscribe(({ phase }) => {
    if (phase === "loading") caches.freed();
    if (phase === "ready") pump();
  });

  return {
    store,
    ask: (question, settings) => begin(question, [queued(settings)]),
    compare: (question, lanes) => begin(question, queuedLanes(lanes)),
    compareAgain(exchangeId, lanes) {
      change((current) => withAttempt(current, exchangeId, ...queuedLanes(lanes)));
      pump();
    },
    edit(exchangeId, question, lanes) {
      const before = store.getState().conversation.exchanges.find(({ id }) => id === exchangeId);
      if (!before) return undefined;
      const attempts = lanes.length > 1 ? queuedLanes(lanes) : lanes.map(queued);
      const edited = { id: newId(), images: before.images, question, attempts };
      store.setState(({ conversation }) => ({
        conversation: withEdited(conversation, exchangeId, edited),
        shown: undefined,
      }));
      // A running answer may belong to the replaced exchange.
      const left = store.getState().conversation.exchanges.flatMap((each) => each.attempts);
      const isGone = working.some((each) => !left.some(({ id }) => id === each));
      if (isGone) void load.engine()?.cancel();
      pump();
      return edited.id;
    },
    askAgain(exchangeId, settings) {
      const attempt = queued(settings);
      fresh.add(attempt.id);
      change((current) => withAttempt(current, exchangeId, attempt));
      pump();
    },
    askWithout(exchangeId, settings, hidden) {
      change((current) => withAttempt(current, exchangeId, { ...queued(settings), hidden }));
      pump();
    },
    retry(attemptId, settings) {
      fresh.add(attemptId);
      store.setState(({ conversation }) => ({
        conversation: requeue(conversation, attemptId, settings),
      }));
      pump();
    },
    stop() {
      void load.engine()?.cancel();
    },
    open(conversation, because) {
      const { running, conversation: left } = store.getState();
      store.setState({
        conversation,
        shown: undefined,
        left: because === "image" && left.exchanges.length > 0 ? left : undefined,
      });
      freeing += 1;
      caches.freed();
      const freed = free(running !== undefined).catch(() => undefined);
      void freed.then(() => {
        freeing -= 1;
        charts.reset();
        pump();
      });
    },
    rename(conversationId, name) {
      change((current) => (current.id === conversationId ? { ...current, name } : current));
    },
    addImages(images) {
      change((current) => withImages(current, images));
    },
    removeImage(imageId) {
      const { conversation } = store.getState();
      const after = withoutImage(conversation, imageId);
      if (after === conversation) return undefined;
      store.setState({ conversation: after });
      return conversation.images.find(({ id }) => id === imageId);
    },
    async borrow(use) {
      const engine = load.engine();
      if (busy || freeing > 0 || !engine || load.store.getState().phase !== "ready") return;
      busy = true;
      charts.startRun();
      await use(engine).finally(() => {
        busy = false;
        pump();
      });
    },
    show(attemptId) {
      store.setState({ shown: attemptId });
    },
    record(event) {
      charts.record(event);
      const lane = "lane" in event ? event.lane : undefined;
      // A shared phase applies to all lanes.
      const ids = lane === undefined ? working : working.slice(lane, lane + 1);
      if (ids.length === 0) return;
      change((current) =>
        ids.reduce((all, id) => withRun(all, id, (run) => reduceRun(run, event)), current),
      );
      if (event.type === "token" && ids[0] !== store.getState().running) {
        store.setState({ running: ids[0] });
      }
    },
  };
}

/**
 * The run after its outcome. A failed run keeps the text generated so far, and a complete answer
 * stays if its reference fails.
 */
function ended(
  before: Run,
  { result, failure }: LaneOutcome,
  measured: Omit<Extract<Run, { phase: "done" }>, "phase" | "result">,
): Run {
  if (result) return { phase: "done", result, ...measured };
  if (before.phase === "done") return { ...before, ...measured };
  return { phase: "failed", text: before.phase === "running" ? before.text : "", failure };
}

/**
 * Of several lanes, the first that drops rows, because the overlay of a full cache shows nothing.
 */
function laneToShow(attempts: readonly Attempt[]): string | undefined {
  if (attempts.length < 2) return undefined;
  return attempts.find(({ settings }) => settings.retention < 1)?.id;
}
