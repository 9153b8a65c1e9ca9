import { noticeInEnglish } from "@/language/noticeSentence";
import { DEFAULT_SAMPLING, DEFAULT_SETTINGS } from "@/protocol/defaults";
import type { EngineEvent, MemoryReading } from "@/protocol/event";
import { EngineError, type EngineFailure, toFailure } from "@/protocol/failure";
import type { LoadRequest, ModelInfo } from "@/protocol/model";
import type { AskRequest, Turn } from "@/protocol/request";
import { type Answer, type AnswerToken, createAnswer } from "./answer";
import { type Conversation, type ConversationOptions, createConversation } from "./conversation";
import type { PastTurn, Question } from "./question";
import { createWorkerEngine, type WorkerEngine } from "./workerClient";

export type * from "@/protocol/engine";
export type * from "@/protocol/event";
export type * from "@/protocol/failure";
export type * from "@/protocol/model";
export type * from "@/protocol/notice";
export type * from "@/protocol/reason";
export type * from "@/protocol/request";
export type * from "@/protocol/result";
export type { Answer, AnswerToken, Conversation, ConversationOptions, PastTurn, Question };
export { DEFAULT_SAMPLING, DEFAULT_SETTINGS, EngineError, noticeInEnglish, toFailure };

export type LoadProgress = Extract<EngineEvent, { readonly type: "load" }>;

export interface LoadOptions extends Omit<LoadRequest, "baseUrl"> {
  /** Bytes per file while it downloads, then compilation and self-test. */
  readonly onProgress?: (progress: LoadProgress) => void;
  /** Aborting it rejects the load with code `cancelled`. */
  readonly signal?: AbortSignal;
}

/**
 * The engine, for any page: one worker, one model, one request at a time.
 *
 * Every failure is an `EngineError`, whose `failure` holds a `code` to switch on, a `message` to
 * show and at most one `action` to offer. Any call may fail with `deviceLost` (load again) or
 * `internal`; each method lists its other codes.
 *
 * ```ts
 * const keepsight = createKeepsight();
 * await keepsight.load("models/keepsight-mini/");
 * const conversation = keepsight.converse({ settings: { policy: "aircache", retention: 0.1 } });
 * const answer = conversation.ask({ images: [file], question: "What is the total?" });
 * for await (const { text } of answer) output.append(text);
 * const { kvBytes } = await answer.result;
 * console.log(`${kvBytes.end} bytes of KV cache instead of ${kvBytes.full}`);
 * await conversation.ask({ question: "And the date?" }).result; // appended to the compacted cache
 * keepsight.close();
 * ```
 */
export interface Keepsight {
  /**
   * Loads a model and replaces the current one.
   * @param modelUrl a model directory in the Hugging Face layout, relative to the page
   * @throws EngineError `noWebGpu`, `missingLimit`, `missingFile`, `badModel`,
   * `unknownArchitecture`, `outOfMemory`, `badRequest` (invalid address or option), `busy`, `cancelled`
   */
  load(modelUrl: string | URL, options?: LoadOptions): Promise<ModelInfo>;
  /**
   * Starts an answer. Never throws; failures come from the answer's `result` and its iteration.
   * Codes: `noModel`, `badImage`, `imageTooLarge`, `badRequest`, `contextOverflow`, `outOfMemory`,
   * `capTooSmall`, `busy`, `cancelled` (before it began, or by `close`). `TurnResult.images` names
   * the n-th image of the m-th turn `m.n`, both from 0.
   */
  ask(question: Question): Answer;
  /** A conversation that passes its turns along with each question. */
  converse(options?: ConversationOptions): Conversation;
  /** Live GPU bytes, by pool. */
  memory(): Promise<MemoryReading>;
  /** Frees the KV cache and image features, stopping an answer under way; weights stay. */
  clear(): Promise<void>;
  /** Listens to all events of the engine; returns the function that unsubscribes. */
  subscribe(listener: (event: EngineEvent) => void): () => void;
  /**
   * Ends the worker and frees all that it holds. Requests under way reject with `cancelled`, later
   * calls with `noModel`.
   */
  close(): void;
}

export interface KeepsightOptions {
  /** Receives every event from the start; `subscribe` does the same later. */
  readonly onEvent?: (event: EngineEvent) => void;
}

const BUSY: EngineFailure = {
  code: "busy",
  message: "The engine is busy with another request; stop it first.",
};
const CANCELLED: EngineFailure = { code: "cancelled", message: "Stopped." };
const CLOSED: EngineFailure = { code: "noModel", message: "The engine was closed." };

/**
 * The worker starts with the first call.
 * @param engine an engine for tests; default: the worker's
 */
export function createKeepsight(
  { onEvent }: KeepsightOptions = {},
  engine: WorkerEngine = createWorkerEngine(),
): Keepsight {
  /**
   * Listener of the running request. Events carry no id, because there is one request at a time.
   */
  let hears: ((event: EngineEvent) => void) | undefined;
  let isClosed = false;
  // Subscribed before the page's listeners, so that one that throws does not block an answer's
  // tokens.
  engine.subscribe((event) => hears?.(event));
  if (onEvent) engine.subscribe(onEvent);

  const reach = async <T>(call: () => Promise<T>): Promise<T> => {
    if (isClosed) throw new EngineError(CLOSED);
    try {
      return await call();
    } catch (error) {
      if (error instanceof EngineError) throw error;
      throw new EngineError(toFailure(error), { cause: error });
    }
  };

  const stop = () => void reach(() => engine.cancel()).catch(() => {});

  /**
   * Runs one request; aborting its signal calls `cancel`. The request reaches the engine
   * synchronously.
   */
  const run = async <T>(
    call: () => Promise<T>,
    hear: (event: EngineEvent) => void,
    signal: AbortSignal | undefined,
  ): Promise<T> => {
    if (signal?.aborted) throw new EngineError(CANCELLED);
    if (hears) throw new EngineError(BUSY);
    hears = hear;
    signal?.addEventListener("abort", stop);
    try {
      return await reach(call);
    } finally {
      hears = undefined;
      signal?.removeEventListener("abort", stop);
    }
  };

  const ask = (question: Question): Answer =>
    createAnswer(
      (hear) => run(() => engine.ask(askRequest(question)), hear, question.signal),
      stop,
    );

  return {
    load: (modelUrl, { onProgress, signal, ...request } = {}) =>
      run(
        async () => engine.load({ ...request, baseUrl: directoryUrl(modelUrl) }),
        (event) => event.type === "load" && onProgress?.(event),
        signal,
      ),
    ask,
    converse: (options = {}) => createConversation(ask, options),
    memory: () => reach(() => engine.memory()),
    clear: () => reach(() => engine.clear()),
    subscribe: (listener) => engine.subscribe(listener),
    close() {
      if (isClosed) return;
      isClosed = true;
      engine.terminate();
    },
  };
}

/** Builds the request; images have keys of turn and index. */
function askRequest({ question, images = [], history = [], ...rest }: Question): AskRequest {
  const blobs: Record<string, Blob> = {};
  const keysOf = (turn: number, files: readonly Blob[]) =>
    files.map((file, index) => {
      const key = `${turn}.${index}`;
      blobs[key] = file;
      return key;
    });
  const past = history.map(
    (turn, index): Turn => ({
      images: keysOf(index, turn.images),
      question: turn.question,
      answerIds: turn.answerIds,
    }),
  );
  return {
    turns: [...past, { images: keysOf(history.length, images), question }],
    images: blobs,
    settings: { ...DEFAULT_SETTINGS, ...rest.settings },
    sampling: { ...DEFAULT_SAMPLING, ...rest.sampling },
    ...(rest.fresh ? { fresh: true } : {}),
    ...(rest.reference ? { reference: true } : {}),
  };
}

/** Absolute, because the worker's base URL differs, and with a trailing slash. */
function directoryUrl(modelUrl: string | URL): string {
  try {
    const { href } = new URL(modelUrl, globalThis.document?.baseURI);
    return href.endsWith("/") ? href : `${href}/`;
  } catch (cause) {
    const message = `${modelUrl} is no address of a model directory.`;
    throw new EngineError({ code: "badRequest", message }, { cause });
  }
}
