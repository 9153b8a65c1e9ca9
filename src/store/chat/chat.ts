import { createStore } from "zustand/vanilla";
import type { Engine } from "@/protocol/engine";
import type { EngineEvent } from "@/protocol/event";
import type { CacheSettings } from "@/protocol/request";
import {
  type Attempt,
  type ChatConversation,
  type ConversationImage,
  emptyConversation,
  withAttempt,
  withEdited,
  withExchange,
} from "../conversation/conversation";
import { waitingImages, withImages, withoutImage } from "../conversation/conversationImages";
import type { Hidden } from "../conversation/occlusion";
import { requeue } from "../conversation/queue";
import type { ReadonlyStore } from "../readonlyStore";
import type { ChatState } from "./chatState";
import { AttemptRunner, type RunnerOptions } from "./runner";

export interface Chat {
  readonly store: ReadonlyStore<ChatState>;
  /** Asks about the images in the viewer; waits for the model if necessary. */
  ask(question: string, settings: CacheSettings): void;
  /** Answers an earlier question again. */
  askAgain(exchangeId: string, settings: CacheSettings): void;
  /** Answers again with a copy of the image in which patches are hidden. */
  askWithout(exchangeId: string, settings: CacheSettings, hidden: Hidden): void;
  /** Asks a question and answers it under each of `lanes`, from one prefill. */
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
  /** Removes an image without a question. */
  removeImage(imageId: string): void;
  show(attemptId: string): void;
  /** Uses the engine between two answers. @returns false, at once, if it is busy or has no model */
  borrow(use: (engine: Engine) => Promise<void>): Promise<boolean>;
  record(event: EngineEvent): void;
}

interface ChatOptions extends RunnerOptions {
  readonly newId: () => string;
}

export function createChat(options: ChatOptions): Chat {
  const { load, caches, newId, now } = options;
  const store = createStore(() => chatAbout(emptyConversation(newId(), now())));
  const runner = new AttemptRunner(options, store);
  const { queued, queuedLanes } = attemptsWith(newId);

  const change = (edit: (conversation: ChatConversation) => ChatConversation) =>
    store.setState(({ conversation }) => ({ conversation: edit(conversation) }));

  /** Edits the conversation and runs what waits in it. */
  const enqueue = (edit: (conversation: ChatConversation) => ChatConversation) => {
    change(edit);
    runner.pump();
  };

  const begin = (question: string, attempts: readonly Attempt[]) =>
    enqueue((current) => {
      const images = waitingImages(current).map(({ id }) => id);
      return withExchange(current, { id: newId(), images, question, attempts });
    });

  load.store.subscribe(({ phase }) => {
    if (phase === "loading") caches.freed();
    if (phase === "ready") runner.pump();
  });

  return {
    store,
    ask: (question, settings) => begin(question, [queued(settings)]),
    compare: (question, lanes) => begin(question, queuedLanes(lanes)),
    compareAgain: (exchangeId, lanes) =>
      enqueue((current) => withAttempt(current, exchangeId, ...queuedLanes(lanes))),
    edit(exchangeId, question, lanes) {
      const before = store.getState().conversation.exchanges.find(({ id }) => id === exchangeId);
      if (!before) return undefined;
      const attempts = lanes.length > 1 ? queuedLanes(lanes) : lanes.map(queued);
      const edited = { id: newId(), images: before.images, question, attempts };
      store.setState(({ conversation }) => ({
        conversation: withEdited(conversation, exchangeId, edited),
        shown: undefined,
      }));
      runner.cancelIfGone();
      runner.pump();
      return edited.id;
    },
    askAgain(exchangeId, settings) {
      const attempt = queued(settings);
      runner.runAfresh(attempt.id);
      enqueue((current) => withAttempt(current, exchangeId, attempt));
    },
    askWithout: (exchangeId, settings, hidden) =>
      enqueue((current) => withAttempt(current, exchangeId, { ...queued(settings), hidden })),
    retry(attemptId, settings) {
      runner.runAfresh(attemptId);
      enqueue((current) => requeue(current, attemptId, settings));
    },
    stop: () => void runner.stop(),
    open(conversation, because) {
      const { conversation: before } = store.getState();
      const left = because === "image" && before.exchanges.length > 0 ? before : undefined;
      store.setState({ conversation, shown: undefined, left });
      void runner.clear();
    },
    rename: (conversationId, name) =>
      change((current) => (current.id === conversationId ? { ...current, name } : current)),
    addImages: (images) => change((current) => withImages(current, images)),
    removeImage: (imageId) => change((current) => withoutImage(current, imageId)),
    borrow: (use) => runner.borrow(use),
    show: (attemptId) => store.setState({ shown: attemptId }),
    record: (event) => runner.record(event),
  };
}

function chatAbout(conversation: ChatConversation): ChatState {
  return { conversation, running: undefined, shown: undefined, left: undefined };
}

/** Attempts that wait for the engine; those of one comparison share an id. */
function attemptsWith(newId: () => string) {
  const queued = (settings: CacheSettings): Attempt => ({
    id: newId(),
    settings,
    run: { phase: "queued" },
  });
  const queuedLanes = (lanes: readonly CacheSettings[]): readonly Attempt[] => {
    const comparison = newId();
    return lanes.map((settings) => ({ ...queued(settings), comparison }));
  };
  return { queued, queuedLanes };
}
