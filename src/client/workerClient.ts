import type { Engine } from "@/protocol/engine";
import type { EngineEvent } from "@/protocol/event";
import { EngineError, type EngineFailure } from "@/protocol/failure";
import type {
  Arguments,
  CallName,
  Result,
  WorkerMessage,
  WorkerRequest,
} from "@/protocol/messages";

/** The engine in its worker, with a method to end it. */
export interface WorkerEngine extends Engine {
  /** Terminates the worker and frees everything it holds. A later call starts a new one. */
  terminate(): void;
}

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: EngineError) => void;
}

const CRASHED: EngineFailure = {
  code: "internal",
  message: "The engine stopped unexpectedly; load the model again.",
  action: "reload",
};

const STOPPED: EngineFailure = { code: "cancelled", message: "Stopped." };

/** A stopped worker that sends nothing for this long, in ms, is busy without a pause. */
const SILENCE_MS = 3000;
/** A stopped worker that goes on for this long, in ms, does not stop. */
const STOP_MS = 8000;

/** Failures after which ONNX Runtime or the device may be unusable. */
const DIRTY: ReadonlySet<string> = new Set(["badModel", "internal", "outOfMemory"]);

/**
 * The page's side of the protocol: one message per call, with a reply of the same id, and events.
 * The worker starts with the first call. If it dies, running calls fail, a `deviceLost` event tells
 * the page that the model is gone, and the next call starts another worker. A worker that does not
 * stop is ended in the same way. After a failure, a model is loaded in a new worker.
 */
export function createWorkerEngine(start: () => Worker = startWorker): WorkerEngine {
  const calls = new WorkerCalls(start);
  return {
    load: (request) => {
      calls.discardDirty();
      return calls.call("load", request);
    },
    inspect: (config, beside) => calls.call("inspect", config, beside),
    priceImages: (images) => calls.call("priceImages", images),
    measure: () => calls.call("measure"),
    ask: (request) => calls.call("ask", request),
    compare: (request) => calls.call("compare", request),
    cancel: () => calls.stop("cancel"),
    preview: (settings) => calls.call("preview", settings),
    clear: () => calls.stop("clear"),
    saveCache: () => calls.call("saveCache"),
    restoreCache: (saved) => calls.call("restoreCache", saved),
    memory: () => calls.call("memory"),
    subscribe: (listener) => calls.subscribe(listener),
    terminate: () =>
      calls.fail({ code: "cancelled", message: "The engine was ended.", action: "reload" }),
  };
}

/** The worker of the moment, and the calls that wait for its replies. */
class WorkerCalls {
  readonly #start: () => Worker;
  readonly #listeners = new Set<(event: EngineEvent) => void>();
  readonly #pending = new Map<number, Pending>();
  #worker: Worker | undefined;
  #isDirty = false;
  #lastId = 0;

  constructor(start: () => Worker) {
    this.#start = start;
  }

  subscribe(listener: (event: EngineEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  call<N extends CallName>(name: N, ...args: Arguments<N>): Promise<Result<N>> {
    this.#worker ??= this.#open();
    const id = ++this.#lastId;
    const request = { id, call: name, args } as WorkerRequest;
    return new Promise<Result<N>>((resolve, reject) => {
      this.#worker?.postMessage(request); // throws if a part of it cannot be sent
      this.#pending.set(id, { resolve: resolve as Pending["resolve"], reject });
    });
  }

  /** A call that waits for the running one; if that holds the thread, the worker is ended. */
  async stop(name: "cancel" | "clear"): Promise<void> {
    const asked = this.#worker;
    if (!asked) return;
    const stopped = this.call(name);
    const endStuck = () => this.#endStuck(asked);
    const silent = setTimeout(endStuck, SILENCE_MS);
    const late = setTimeout(endStuck, STOP_MS);
    this.call("memory").then(
      () => clearTimeout(silent),
      () => undefined,
    );
    try {
      await stopped;
    } catch (error) {
      if (!(error instanceof EngineError) || error.failure !== STOPPED) throw error;
    } finally {
      clearTimeout(silent);
      clearTimeout(late);
    }
  }

  /** After a failure, the next call starts another worker. */
  discardDirty(): void {
    if (!this.#isDirty || this.#pending.size > 0) return;
    this.#worker?.terminate();
    this.#worker = undefined;
  }

  /** Ends the worker; running calls fail. */
  fail(failure: EngineFailure): void {
    this.#worker?.terminate();
    this.#worker = undefined;
    const failed = [...this.#pending.values()];
    this.#pending.clear();
    for (const { reject } of failed) reject(new EngineError(failure));
  }

  /** The browser killed the worker without an event. */
  #crash(crashed: Worker): void {
    if (this.#worker !== crashed) return;
    this.fail(CRASHED);
    this.#emit({ type: "deviceLost", message: CRASHED.message });
  }

  #endStuck(stuck: Worker): void {
    if (this.#worker !== stuck) return;
    this.fail(STOPPED);
    const message = "The engine did not stop and was ended.";
    this.#emit({ type: "deviceLost", message, isStop: true });
  }

  #open(): Worker {
    const opened = this.#start();
    this.#isDirty = false;
    opened.onmessage = ({ data }: MessageEvent<WorkerMessage>) => this.#receive(opened, data);
    opened.onerror = () => this.#crash(opened);
    opened.onmessageerror = () => this.#crash(opened);
    return opened;
  }

  /** What a worker had sent before it was ended may arrive afterwards; it is about a model that is gone. */
  #receive(from: Worker, message: WorkerMessage) {
    if (from !== this.#worker) return;
    if (message.type === "alive") return whenFree(message.lock, () => this.#crash(from));
    if (message.type === "event") return this.#emit(message.event);
    const call = this.#pending.get(message.id);
    this.#pending.delete(message.id);
    if (message.type === "result") return call?.resolve(message.value);
    this.#isDirty ||= DIRTY.has(message.failure.code);
    call?.reject(new EngineError(message.failure));
  }

  #emit(event: EngineEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}

/** Calls back when a Web Lock is released. */
function whenFree(lock: string, listener: () => void): void {
  void globalThis.navigator?.locks?.request(lock, listener);
}

function startWorker(): Worker {
  return new Worker(new URL("@/runtime/worker.ts", import.meta.url), {
    type: "module",
    name: "keepsight-engine",
  });
}
