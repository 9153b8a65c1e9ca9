import { createStore, type StoreApi } from "zustand/vanilla";
import {
  type CacheSettings,
  type Engine,
  type EngineEvent,
  type Sampling,
  toFailure,
} from "@/protocol/engine";
import type { Charts } from "./charts";
import {
  type Attempt,
  type Conversation,
  type Exchange,
  emptyConversation,
  type Picture,
  reduceRun,
  STARTED,
  turnsUntil,
  withAttempt,
  withExchange,
  withRun,
} from "./conversation";
import type { Load } from "./load";

export interface ChatState {
  readonly conversation: Conversation;
  /** Attempt that the engine works on. */
  readonly running: string | undefined;
  /** Attempt whose rows the stage shows; undefined: the newest that has any. */
  readonly shown: string | undefined;
  /** The conversation before this one, when choosing a picture ended it. */
  readonly left: Conversation | undefined;
}

export interface Chat {
  readonly store: StoreApi<ChatState>;
  /** Asks about the pictures on the stage; waits for the model where it has to. */
  ask(question: string, settings: CacheSettings): void;
  /** Another answer to a question that was asked before. */
  askAgain(exchangeId: string, settings: CacheSettings): void;
  /** Runs a failed attempt once more. */
  retry(attemptId: string, settings: CacheSettings): void;
  stop(): void;
  /** Leaves the conversation for another one and frees what the engine held for it. */
  open(conversation: Conversation, because?: "picture"): void;
  rename(conversationId: string, name: string): void;
  show(attemptId: string): void;
  record(event: EngineEvent): void;
}

export interface ChatOptions {
  readonly load: Load;
  readonly charts: Charts;
  readonly sampling: Sampling;
  readonly newId: () => string;
  readonly now: () => number;
}

export function createChat({ load, charts, sampling, newId, now }: ChatOptions): Chat {
  const store = createStore<ChatState>(() => ({
    conversation: emptyConversation(newId(), now()),
    running: undefined,
    shown: undefined,
    left: undefined,
  }));
  /** Attempts that must not be appended to the engine's cache. */
  const fresh = new Set<string>();
  let busy = false;
  /** Conversations whose rows the engine is still giving back. */
  let freeing = 0;

  const change = (edit: (conversation: Conversation) => Conversation) =>
    store.setState(({ conversation }) => ({ conversation: edit(conversation) }));

  const queued = (settings: CacheSettings): Attempt => ({
    id: newId(),
    settings,
    run: { phase: "queued" },
  });

  /** Starts the oldest attempt that waits, if the engine is free and has its model. */
  function pump() {
    const engine = load.engine();
    const next = nextQueued(store.getState().conversation);
    if (busy || freeing > 0 || !engine || !next || load.store.getState().phase !== "ready") return;
    busy = true;
    void run(engine, next.exchange, next.attempt).finally(() => {
      busy = false;
      pump();
    });
  }

  async function run(engine: Engine, exchange: Exchange, attempt: Attempt) {
    const { conversation } = store.getState();
    const losses = load.lossCount();
    charts.startRun();
    change((current) => withRun(current, attempt.id, () => STARTED));
    store.setState({ running: attempt.id, shown: undefined });
    try {
      const result = await engine.ask({
        turns: turnsUntil(conversation, exchange.id),
        images: blobs(conversation.pictures),
        settings: attempt.settings,
        sampling,
        ...(fresh.has(attempt.id) ? { fresh: true } : {}),
      });
      charts.finishRun(result);
      change((current) => withRun(current, attempt.id, () => ({ phase: "done", result })));
    } catch (error) {
      const failure = toFailure(error);
      change((current) =>
        withRun(current, attempt.id, (before) => ({
          phase: "failed",
          text: before.phase === "running" ? before.text : "",
          failure,
        })),
      );
      // The engine tells of a lost device by an event, too; one loss is one recovery.
      if (failure.code === "deviceLost" && load.lossCount() === losses) load.recover();
    } finally {
      fresh.delete(attempt.id);
      store.setState({ running: undefined });
    }
  }

  async function free(isRunning: boolean) {
    const engine = load.engine();
    if (!engine) return;
    if (isRunning) await engine.cancel();
    await engine.clear();
  }

  load.store.subscribe(({ phase }) => {
    if (phase === "ready") pump();
  });

  return {
    store,
    ask(question, settings) {
      const { conversation } = store.getState();
      const asked = new Set(conversation.exchanges.flatMap(({ pictures }) => pictures));
      const pictures = conversation.pictures.map(({ id }) => id).filter((id) => !asked.has(id));
      const exchange = { id: newId(), pictures, question, attempts: [queued(settings)] };
      change((current) => withExchange(current, exchange));
      pump();
    },
    askAgain(exchangeId, settings) {
      const attempt = queued(settings);
      fresh.add(attempt.id);
      change((current) => withAttempt(current, exchangeId, attempt));
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
        left: because === "picture" && left.exchanges.length > 0 ? left : undefined,
      });
      freeing += 1;
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
    show(attemptId) {
      store.setState({ shown: attemptId });
    },
    record(event) {
      charts.record(event);
      const { running } = store.getState();
      if (running) change((current) => withRun(current, running, (run) => reduceRun(run, event)));
    },
  };
}

function nextQueued(conversation: Conversation) {
  for (const exchange of conversation.exchanges) {
    const attempt = exchange.attempts.find(({ run }) => run.phase === "queued");
    if (attempt) return { exchange, attempt };
  }
  return undefined;
}

function requeue(
  conversation: Conversation,
  attemptId: string,
  settings: CacheSettings,
): Conversation {
  const exchanges = conversation.exchanges.map((exchange) => ({
    ...exchange,
    attempts: exchange.attempts.map((attempt) =>
      attempt.id === attemptId
        ? { ...attempt, settings, run: { phase: "queued" } as const }
        : attempt,
    ),
  }));
  return { ...conversation, exchanges };
}

function blobs(pictures: readonly Picture[]): Record<string, Blob> {
  return Object.fromEntries(pictures.map(({ id, blob }) => [id, blob]));
}
