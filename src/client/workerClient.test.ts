import { describe, expect, it, vi } from "vitest";
import type { EngineEvent } from "@/protocol/event";
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

const pools = { weights: 1, kv: 2, reference: 0, activations: 3, vision: 4 };

describe("worker client", () => {
  it("answers each call by its id, in any order", async () => {
    const { engine, workers } = open();
    const first = engine.memory();
    const second = engine.preview({ policy: "full", retention: 1, scope: "visual", options: {} });
    const [worker] = workers as [FakeWorker];
    expect(worker.received.map(({ call, args }) => [call, args])).toEqual([
      ["memory", []],
      ["preview", [expect.anything()]],
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

  it("hears nothing of a worker that was ended", async () => {
    const { engine, workers } = open();
    const heard: EngineEvent[] = [];
    engine.subscribe((event) => heard.push(event));
    engine.memory().catch(() => undefined);
    engine.terminate();
    void engine.load({ baseUrl: "/model/" });
    const event = { type: "deviceLost", message: "Lost." } as const;
    workers[0]?.onmessage?.({ data: { type: "event", event } });
    expect(heard).toEqual([]);
    workers[1]?.onmessage?.({ data: { type: "event", event } });
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

  it("ends a worker that is silent for three seconds after Stop; the next call starts another", async () => {
    vi.useFakeTimers();
    const { engine, workers } = open();
    const heard: EngineEvent[] = [];
    engine.subscribe((event) => heard.push(event));
    await engine.cancel();
    expect(workers, "there was nothing to stop").toHaveLength(0);
    const asked = engine.load({ baseUrl: "/endless/" });
    asked.catch(() => undefined);
    const stopped = engine.cancel();
    await vi.advanceTimersByTimeAsync(2900);
    expect(workers[0]?.isTerminated).toBe(false);
    await vi.advanceTimersByTimeAsync(200);
    expect(workers[0]?.isTerminated).toBe(true);
    await expect(stopped).resolves.toBeUndefined();
    await expect(asked).rejects.toMatchObject({ failure: { code: "cancelled" } });
    expect(heard).toEqual([expect.objectContaining({ type: "deviceLost", isStop: true })]);
    engine.memory().catch(() => undefined);
    expect(workers).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(workers[1]?.isTerminated).toBe(false);
    vi.useRealTimers();
  });

  it("gives a worker that still answers eight seconds to stop", async () => {
    vi.useFakeTimers();
    const { engine, workers } = open();
    const stops = [engine.memory(), engine.clear()].map((call) => call.catch(() => undefined));
    const [worker] = workers as [FakeWorker];
    const reply = (index: number, value?: unknown) =>
      worker.onmessage?.({
        data: { type: "result", id: worker.received[index]?.id ?? 0, value },
      });
    expect(worker.received.map(({ call }) => call)).toEqual(["memory", "clear", "memory"]);
    reply(2, pools);
    await vi.advanceTimersByTimeAsync(7900);
    expect(worker.isTerminated).toBe(false);
    reply(1);
    await vi.advanceTimersByTimeAsync(1000);
    expect(worker.isTerminated, "it has stopped in time").toBe(false);
    void engine.cancel();
    reply(4, pools);
    await vi.advanceTimersByTimeAsync(8100);
    expect(worker.isTerminated).toBe(true);
    await Promise.all(stops);
    vi.useRealTimers();
  });

  it("loads in a new worker after a model that has failed", async () => {
    const { engine, workers } = open();
    const fail = (code: "badModel" | "cancelled") => {
      const worker = workers.at(-1)!;
      const failure = { code, message: "No." } as const;
      worker.onmessage?.({ data: { type: "failure", id: worker.received.at(-1)!.id, failure } });
    };
    const load = () => engine.load({ baseUrl: "/model/" }).catch(() => undefined);
    const first = load();
    fail("cancelled");
    await first;
    const second = load();
    expect(workers).toHaveLength(1);
    fail("badModel");
    await second;
    expect(workers[0]?.isTerminated, "what it holds can still be asked for").toBe(false);
    void load();
    expect(workers[0]?.isTerminated).toBe(true);
    expect(workers).toHaveLength(2);
  });

  it("keeps no call that could not be sent", async () => {
    const { engine, workers } = open();
    const failed = engine.load({ baseUrl: "/model/" }).catch(() => undefined);
    const failure = { code: "badModel", message: "No." } as const;
    const [worker] = workers as [FakeWorker];
    worker.onmessage?.({ data: { type: "failure", id: worker.received[0]!.id, failure } });
    await failed;
    vi.spyOn(worker, "postMessage").mockImplementationOnce(() => {
      throw new DOMException("No clone.", "DataCloneError");
    });
    await expect(engine.inspect("{}")).rejects.toThrow("No clone.");
    engine.load({ baseUrl: "/model/" }).catch(() => undefined);
    expect(workers, "no call waits: the next load takes a new worker").toHaveLength(2);
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
