import type { WorkerMessage, WorkerRequest } from "@/protocol/messages";
import type { LaneOutcome, TurnResult } from "@/protocol/result";
import { LocalEngine } from "./engine";
import { asEngineError } from "./failures";

/** The worker's message loop: receives requests, sends results, failures and events. */
const engine = new LocalEngine();

engine.subscribe((event) => post({ type: "event", event }));

holdLock();

self.onmessage = async ({ data }: MessageEvent<WorkerRequest>) => {
  const { id } = data;
  try {
    const value = await run(data);
    post({ type: "result", id, value }, handedOver(data, value));
  } catch (error) {
    const { failure } = asEngineError(error);
    if (failure.code === "internal") console.error(error);
    post({ type: "failure", id, failure });
  }
};

function run(request: WorkerRequest): Promise<unknown> {
  const { call, args } = request;
  switch (call) {
    case "load":
      return engine.load(...args);
    case "inspect":
      return engine.inspect(...args);
    case "priceImages":
      return engine.priceImages(...args);
    case "measure":
      return engine.measure();
    case "ask":
      return engine.ask(...args);
    case "compare":
      return engine.compare(...args);
    case "cancel":
      return engine.cancel();
    case "preview":
      return engine.preview(...args);
    case "saveCache":
      return engine.saveCache();
    case "restoreCache":
      return engine.restoreCache(...args);
    case "clear":
      return engine.clear();
    case "memory":
      return engine.memory();
    default:
      throw new TypeError(`no such call: ${JSON.stringify(request satisfies never)}`);
  }
}

/**
 * Explanations are large and not used here afterwards, so their memory is transferred, not copied.
 */
function handedOver({ call }: WorkerRequest, value: unknown): Transferable[] {
  const results =
    call === "ask"
      ? [value as TurnResult]
      : call === "compare"
        ? (value as readonly LaneOutcome[]).flatMap(({ result }) => result ?? [])
        : [];
  return results.flatMap(({ explanation }) => {
    const arrays = [explanation?.importance?.scores, explanation?.attention?.cells];
    return arrays.flatMap((array) => (array ? [array.buffer as ArrayBuffer] : []));
  });
}

/**
 * Takes a lock that is released when this worker ends for any reason, and sends its name to the
 * page.
 */
function holdLock(): void {
  const lock = `keepsight-engine-${crypto.randomUUID()}`;
  void navigator.locks?.request(lock, () => {
    post({ type: "alive", lock });
    return new Promise<never>(() => undefined);
  });
}

function post(message: WorkerMessage, transfer: Transferable[] = []): void {
  self.postMessage(message, { transfer });
}
