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
import type { LoadRequest, ModelInfo } from "@/protocol/model";

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
  const listeners = new Set<(event: EngineEvent) => void>();
  const pending = new Map<number, Pending>();
  let worker: Worker | undefined;
  let isDirty = false;
  let lastId = 0;

  const emit = (event: EngineEvent) => {
    for (const listener of listeners) listener(event);
  };

  const fail = (failure: EngineFailure) => {
    worker?.terminate();
    worker = undefined;
    const failed = [...pending.values()];
    pending.clear();
    for (const { reject } of failed) reject(new EngineError(failure));
  };

  /** The browser killed the worker without an event. */
  const crash = (crashed: Worker) => {
    if (worker !== crashed) return;
    fail(CRASHED);
    emit({ type: "deviceLost", message: CRASHED.message });
  };

  const endStuck = (stuck: Worker) => {
    if (worker !== stuck) return;
    fail(STOPPED);
    emit({ type: "deviceLost", message: "The engine did not stop and was ended.", isStop: true });
  };

  const receive = (from: Worker, message: WorkerMessage) => {
    if (message.type === "alive") return whenFree(message.lock, () => crash(from));
    if (message.type === "event") return emit(message.event);
    const call = pending.get(message.id);
    pending.delete(message.id);
    if (message.type === "result") return call?.resolve(message.value);
    isDirty ||= DIRTY.has(message.failure.code);
    call?.reject(new EngineError(message.failure));
  };

  const open = (): Worker => {
    const opened = start();
    isDirty = false;
    opened.onmessage = ({ data }: MessageEvent<WorkerMessage>) => receive(opened, data);
    opened.onerror = () => crash(opened);
    opened.onmessageerror = () => crash(opened);
    return opened;
  };

  const call = <N extends CallName>(name: N, ...args: Arguments<N>): Promise<Result<N>> => {
    worker ??= open();
    const id = ++lastId;
    const request = { id, call: name, args } as WorkerRequest;
    return new Promise<Result<N>>((resolve, reject) => {
      pending.set(id, { resolve: resolve as Pending["resolve"], reject });
      worker?.postMessage(request);
    });
  };

  /** A call that waits for the running one; if that holds the thread, the worker is ended. */
  const stop = async (name: "cancel" | "clear"): Promise<void> => {
    const asked = worker;
    if (!asked) return;
    const stopped = call(name);
    const silent = setTimeout(endStuck, SILENCE_MS, asked);
    const late = setTimeout(endStuck, STOP_MS, asked);
    call("memory").then(
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
  };

  const loadAnew = (request: LoadRequest): Promise<ModelInfo> => {
    if (isDirty && pending.size === 0) {
      worker?.terminate();
      worker = undefined;
    }
    return call("load", request);
  };

  return {
    load: loadAnew,
    inspect: (config, beside) => call("inspect", config, beside),
    priceImages: (images) => call("priceImages", images),
    measure: () => call("measure"),
    ask: (request) => call("ask", request),
    compare: (request) => call("compare", request),
    cancel: () => stop("cancel"),
    preview: (settings) => call("preview", settings),
    clear: () => stop("clear"),
    saveCache: () => call("saveCache"),
    restoreCache: (saved) => call("restoreCache", saved),
    memory: () => call("memory"),
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    terminate: () =>
      fail({ code: "cancelled", message: "The engine was ended.", action: "reload" }),
  };
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
