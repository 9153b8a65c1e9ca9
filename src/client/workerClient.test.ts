import { describe, expect, it, vi } from "vitest";
import type { EngineEvent } from "@/protocol/engine";
import type { WorkerMessage, WorkerRequest } from "@/protocol/messages";
import { createWorkerEngine } from "./workerClient";

/** Records what it is sent and says what the test tells it to. */
class FakeWorker {
  readonly received: WorkerRequest[] = [];
  isTerminated = false;
  onmessage: ((event: { data: WorkerMessage }) => void) | undefined;
  onerror: (() => void) | undefined;

  postMessage(request: WorkerRequest): void {
    this.received.push(request);
  }

  terminate(): void {
    this.isTerminated = true;
  }
}

function open() {
  const workers: FakeWorker[] = [];
  const engine = createWorkerEngine(() => {
    const worker = new FakeWorker();
    workers.push(worker);
    return worker as unknown as Worker;
  });
  return { engine, workers };
}

const pools = { weights: 1, kv: 2, activations: 3, vision: 4 };

describe("worker client", () => {
  it("answers each call by its id, in any order", async () => {
    const { engine, workers } = open();
    const first = engine.memory();
    const second = engine.clear();
    const [worker] = workers as [FakeWorker];
    expect(worker.received.map(({ call, args }) => [call, args])).toEqual([
      ["memory", []],
      ["clear", []],
    ]);
    const [a, b] = worker.received.map(({ id }) => id) as [number, number];
    worker.onmessage?.({ data: { type: "result", id: b, value: undefined } });
    worker.onmessage?.({ data: { type: "result", id: a, value: pools } });
    await expect(first).resolves.toEqual(pools);
    await expect(second).resolves.toBeUndefined();
  });

  it("turns a failure into an EngineError with its code and action", async () => {
    const { engine, workers } = open();
    const asked = engine.load({ baseUrl: "/nowhere/" });
    const failure = { code: "missingFile", message: "No such file.", action: "retry" } as const;
    const [worker] = workers as [FakeWorker];
    worker.onmessage?.({ data: { type: "failure", id: worker.received[0]?.id ?? 0, failure } });
    await expect(asked).rejects.toMatchObject({ name: "EngineError", failure });
  });

  it("hands events to everyone who still listens", async () => {
    const { engine, workers } = open();
    const heard: EngineEvent[] = [];
    const stop = engine.subscribe((event) => heard.push(event));
    void engine.memory();
    const event = { type: "stage", stage: "prefill", done: 1, total: 3 } as const;
    workers[0]?.onmessage?.({ data: { type: "event", event } });
    stop();
    workers[0]?.onmessage?.({ data: { type: "event", event } });
    expect(heard).toEqual([event]);
  });

  it("survives its worker: calls fail, the page hears of it, the next call starts another", async () => {
    const { engine, workers } = open();
    const heard: EngineEvent[] = [];
    engine.subscribe((event) => heard.push(event));
    const lost = engine.memory();
    workers[0]?.onerror?.();
    await expect(lost).rejects.toMatchObject({ failure: { code: "internal", action: "reload" } });
    expect(heard.map(({ type }) => type)).toEqual(["deviceLost"]);
    expect(workers[0]?.isTerminated).toBe(true);

    const next = engine.memory();
    expect(workers).toHaveLength(2);
    workers[1]?.onmessage?.({
      data: { type: "result", id: workers[1]?.received[0]?.id ?? 0, value: pools },
    });
    await expect(next).resolves.toEqual(pools);
  });

  it("hears of the death of a worker that could not say so", async () => {
    const { engine, workers } = open();
    const freed = new Map<string, () => void>();
    const request = (lock: string, callback: () => void) => freed.set(lock, callback);
    vi.stubGlobal("navigator", { locks: { request } });
    const heard: EngineEvent[] = [];
    engine.subscribe((event) => heard.push(event));
    const lost = engine.memory();
    workers[0]?.onmessage?.({ data: { type: "alive", lock: "one" } });
    freed.get("one")?.();
    await expect(lost).rejects.toMatchObject({ failure: { code: "internal", action: "reload" } });
    expect(heard.map(({ type }) => type)).toEqual(["deviceLost"]);

    // One that was ended on purpose frees its lock, too.
    const ended = engine.memory().catch(() => undefined);
    workers[1]?.onmessage?.({ data: { type: "alive", lock: "two" } });
    engine.terminate();
    freed.get("two")?.();
    await ended;
    expect(heard).toHaveLength(1);
    vi.unstubAllGlobals();
  });
});
