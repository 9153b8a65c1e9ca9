import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { EngineEvent } from "@/protocol/event";
import { EngineError } from "@/protocol/failure";
import type { AskRequest } from "@/protocol/request";
import type { TurnResult } from "@/protocol/result";
import { createKeepsight, DEFAULT_SAMPLING, DEFAULT_SETTINGS } from "./keepsight";
import type { WorkerEngine } from "./workerClient";

const MODEL = "https://example.test/models/mini";
const rejections: unknown[] = [];
const note = (reason: unknown) => rejections.push(reason);

/** Long enough for everything that settled to be told. */
const settled = () => new Promise((resolve) => setTimeout(resolve));

function finished(tokenIds: readonly number[], finish: TurnResult["finish"] = "stop"): TurnResult {
  return { answer: tokenIds.join(" "), tokenIds, finish } as TurnResult;
}

/** An engine that answers when the test says so; `cancel` ends what runs as the real one does. */
function open() {
  const listeners = new Set<(event: EngineEvent) => void>();
  const calls: string[] = [];
  const asked: AskRequest[] = [];
  const loaded: unknown[] = [];
  const ids: number[] = [];
  let running: PromiseWithResolvers<TurnResult> | undefined;
  const emit = (event: EngineEvent) => {
    for (const listener of listeners) listener(event);
  };
  const begin = <T>() => {
    ids.length = 0;
    const pending = withResolvers<T>();
    running = pending as unknown as PromiseWithResolvers<TurnResult>;
    return pending.promise;
  };
  const engine = {
    load(request) {
      calls.push("load");
      loaded.push(request);
      return begin();
    },
    ask(request) {
      calls.push("ask");
      asked.push(request);
      return begin<TurnResult>();
    },
    async cancel() {
      calls.push("cancel");
      await settled(); // a step that runs is finished first
      running?.resolve(finished([...ids], "cancelled"));
    },
    async clear() {
      calls.push("clear");
    },
    memory: async () => ({ weights: 1, kv: 2, reference: 0, activations: 3, vision: 4 }),
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    terminate() {
      calls.push("terminate");
      running?.reject(new EngineError({ code: "cancelled", message: "The engine was ended." }));
    },
  } satisfies Partial<WorkerEngine>;
  return {
    engine: engine as unknown as WorkerEngine,
    calls,
    asked,
    loaded,
    emit,
    token(id: number) {
      emit({ type: "token", index: ids.push(id) - 1, id, text: `${id} `, ms: 1 });
    },
    finish: () => running?.resolve(finished([...ids])),
    fail: (error: Error) => running?.reject(error),
  };
}

type PromiseWithResolvers<T> = ReturnType<typeof withResolvers<T>>;

function withResolvers<T>() {
  let resolve: (value: T) => void = () => {};
  let reject: (reason: Error) => void = () => {};
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

const idsOf = async (answer: AsyncIterable<{ readonly id: number }>) => {
  const ids: number[] = [];
  for await (const { id } of answer) ids.push(id);
  return ids;
};

describe("keepsight", () => {
  beforeAll(() => void process.on("unhandledRejection", note));
  afterAll(async () => {
    await settled();
    process.off("unhandledRejection", note);
    expect(rejections).toEqual([]);
  });

  it("yields tokens in order, to whoever iterates and whenever, and then the result", async () => {
    const fake = open();
    const answer = createKeepsight({}, fake.engine).ask({ question: "What?" });
    fake.token(7);
    const early = idsOf(answer);
    await settled();
    fake.token(8);
    fake.token(9);
    fake.finish();
    await expect(early).resolves.toEqual([7, 8, 9]);
    await expect(answer.result).resolves.toMatchObject({ answer: "7 8 9", finish: "stop" });
    await expect(idsOf(answer)).resolves.toEqual([7, 8, 9]);
  });

  it("ends the iteration with the answer, and resolves with its reference later", async () => {
    const fake = open();
    const answer = createKeepsight({}, fake.engine).ask({ question: "What?", reference: true });
    expect(fake.asked[0]?.reference).toBe(true);
    fake.token(7);
    fake.emit({ type: "answered", result: finished([7]) });
    await expect(idsOf(answer)).resolves.toEqual([7]);
    expect(fake.calls).not.toContain("cancel");
    fake.finish();
    await expect(answer.result).resolves.toMatchObject({ answer: "7" });
  });

  it("completes settings and sampling, and names images by turn and place", async () => {
    const fake = open();
    const [a, b, c] = ["a", "b", "c"].map((text) => new Blob([text])) as [Blob, Blob, Blob];
    createKeepsight({}, fake.engine).ask({
      question: "And now?",
      images: [c],
      history: [{ images: [a, b], question: "What?", answerIds: [1, 2] }],
      settings: { retention: 0.1, capMb: 3 },
      sampling: { seed: 4 },
    });
    expect(fake.asked).toEqual([
      {
        turns: [
          { images: ["0.0", "0.1"], question: "What?", answerIds: [1, 2] },
          { images: ["1.0"], question: "And now?" },
        ],
        images: { "0.0": a, "0.1": b, "1.0": c },
        settings: { ...DEFAULT_SETTINGS, retention: 0.1, capMb: 3 },
        sampling: { ...DEFAULT_SAMPLING, seed: 4 },
      },
    ]);
    expect(fake.asked[0]?.images["1.0"]).toBe(c);
  });

  it("starts nothing once its signal is aborted", async () => {
    const fake = open();
    const keepsight = createKeepsight({}, fake.engine);
    const signal = AbortSignal.abort();
    const answer = keepsight.ask({ question: "What?", signal });
    await expect(answer.result).rejects.toMatchObject({ failure: { code: "cancelled" } });
    await expect(idsOf(answer)).rejects.toBeInstanceOf(EngineError);
    await expect(keepsight.load(MODEL, { signal })).rejects.toThrow("Stopped.");
    expect(fake.calls).toEqual([]);
  });

  it("stops with its signal, and resolves with what there is", async () => {
    const fake = open();
    const stopper = new AbortController();
    const keepsight = createKeepsight({}, fake.engine);
    const answer = keepsight.ask({ question: "What?", signal: stopper.signal });
    fake.token(7);
    stopper.abort();
    await expect(idsOf(answer)).resolves.toEqual([7]);
    await expect(answer.result).resolves.toMatchObject({ finish: "cancelled", tokenIds: [7] });
    expect(fake.calls).toEqual(["ask", "cancel"]);
  });

  it("no longer listens to the signal of an answer that is done", async () => {
    const fake = open();
    const stopper = new AbortController();
    const keepsight = createKeepsight({}, fake.engine);
    const first = keepsight.ask({ question: "What?", signal: stopper.signal });
    fake.finish();
    await first.result;
    const second = keepsight.ask({ question: "Why?" });
    stopper.abort();
    fake.token(8);
    fake.finish();
    await expect(second.result).resolves.toMatchObject({ finish: "stop" });
    expect(fake.calls).toEqual(["ask", "ask"]);
  });

  it("stops when the loop is left, and is free again after it", async () => {
    const fake = open();
    const keepsight = createKeepsight({}, fake.engine);
    const answer = keepsight.ask({ question: "What?" });
    fake.token(7);
    for await (const { id } of answer) {
      expect(id).toBe(7);
      break;
    }
    keepsight.ask({ question: "Why?" });
    expect(fake.calls).toEqual(["ask", "cancel", "ask"]);
    await expect(answer.result).resolves.toMatchObject({ finish: "cancelled" });
  });

  it("throws in the loop what the result rejects with, after the tokens that came", async () => {
    const fake = open();
    const answer = createKeepsight({}, fake.engine).ask({ question: "What?" });
    fake.token(7);
    const heard: number[] = [];
    const loop = (async () => {
      for await (const { id } of answer) heard.push(id);
    })();
    const failure = { code: "deviceLost", message: "Lost.", action: "reload" } as const;
    fake.fail(new EngineError(failure));
    await expect(loop).rejects.toMatchObject({ name: "EngineError", failure });
    await expect(answer.result).rejects.toMatchObject({ failure });
    expect(heard).toEqual([7]);
    expect(fake.calls).toEqual(["ask"]);
  });

  it("turns anything else that is thrown into an EngineError, its cause kept", async () => {
    const fake = open();
    const answer = createKeepsight({}, fake.engine).ask({ question: "What?" });
    const cause = new DOMException("No clone.", "DataCloneError");
    fake.fail(cause);
    await expect(answer.result).rejects.toMatchObject({
      failure: {
        code: "internal",
        detail: "No clone.",
        message: expect.not.stringContaining("clone"),
      },
      cause,
    });
  });

  it("keeps a failure that nobody looks at to itself", async () => {
    const fake = open();
    createKeepsight({}, fake.engine).converse().ask({ question: "What?" });
    fake.fail(new EngineError({ code: "outOfMemory", message: "Full." }));
    await settled();
    expect(rejections).toEqual([]);
  });

  it("refuses a second request, which hears none of the first one's tokens", async () => {
    const fake = open();
    const keepsight = createKeepsight({}, fake.engine);
    const first = keepsight.ask({ question: "What?" });
    const second = keepsight.ask({ question: "Why?" });
    fake.token(7);
    await expect(second.result).rejects.toMatchObject({ failure: { code: "busy" } });
    await expect(keepsight.load(MODEL)).rejects.toMatchObject({ failure: { code: "busy" } });
    fake.finish();
    await expect(idsOf(first)).resolves.toEqual([7]);
    expect(fake.calls).toEqual(["ask"]);
  });

  it("loads from an absolute directory, tells progress, and stops with the signal", async () => {
    const fake = open();
    const keepsight = createKeepsight({}, fake.engine);
    const stopper = new AbortController();
    const onProgress = vi.fn();
    const loading = keepsight.load(MODEL, { kvType: "f32", onProgress, signal: stopper.signal });
    const event = {
      type: "load",
      file: "model.safetensors",
      loadedBytes: 1,
      totalBytes: 2,
      phase: "download",
    } as const;
    fake.emit(event);
    fake.emit({ type: "stage", stage: "vision", done: 0, total: 1 });
    stopper.abort();
    await loading;
    fake.emit(event);
    expect(fake.loaded).toEqual([{ baseUrl: `${MODEL}/`, kvType: "f32" }]);
    expect(onProgress.mock.calls).toEqual([[event]]);
    expect(fake.calls).toEqual(["load", "cancel"]);
    await expect(keepsight.load("no base")).rejects.toMatchObject({
      failure: { code: "badRequest" },
    });
  });

  it("tells all events to its listeners, after the answer has heard them", async () => {
    const fake = open();
    const types: string[] = [];
    const onEvent = ({ type }: EngineEvent) => {
      types.push(type);
      throw new Error("a page's own mistake");
    };
    const keepsight = createKeepsight({ onEvent }, fake.engine);
    const answer = keepsight.ask({ question: "What?" });
    expect(() => fake.token(7)).toThrow("mistake");
    fake.finish();
    await expect(idsOf(answer)).resolves.toEqual([7]);
    expect(types).toEqual(["token"]);
  });

  it("ends with close: what runs is cancelled, what follows is refused, no worker starts again", async () => {
    const fake = open();
    const stopper = new AbortController();
    const keepsight = createKeepsight({}, fake.engine);
    await expect(keepsight.memory()).resolves.toMatchObject({ kv: 2 });
    const answer = keepsight.ask({ question: "What?", signal: stopper.signal });
    keepsight.close();
    keepsight.close();
    stopper.abort();
    await expect(answer.result).rejects.toMatchObject({ failure: { code: "cancelled" } });
    const later = [keepsight.memory(), keepsight.clear(), keepsight.ask({ question: "?" }).result];
    for (const call of later) {
      await expect(call).rejects.toMatchObject({ failure: { code: "noModel" } });
    }
    expect(fake.calls).toEqual(["ask", "terminate"]);
  });
});

describe("a conversation", () => {
  it("carries its turns with the ids of their answers, and its settings", async () => {
    const fake = open();
    const image = new Blob(["image"]);
    const settings = { policy: "aircache", retention: 0.1 };
    const conversation = createKeepsight({}, fake.engine).converse({ settings });
    const first = conversation.ask({ images: [image], question: "What?" });
    fake.token(7);
    fake.token(8);
    fake.finish();
    await first.result;
    expect(conversation.turns).toEqual([{ images: [image], question: "What?", answerIds: [7, 8] }]);
    conversation.ask({ question: "Why?", settings: { capMb: 1 } });
    expect(fake.asked[1]).toMatchObject({
      turns: [
        { images: ["0.0"], question: "What?", answerIds: [7, 8] },
        { images: [], question: "Why?" },
      ],
      settings: { ...DEFAULT_SETTINGS, ...settings, capMb: 1 },
    });
  });

  it("has the turn by the time that a loop over the answer ends", async () => {
    const fake = open();
    const conversation = createKeepsight({}, fake.engine).converse();
    const answer = conversation.ask({ question: "What?" });
    const loop = idsOf(answer).then(() => conversation.turns.length);
    fake.token(7);
    fake.finish();
    await expect(loop).resolves.toBe(1);
  });

  it("drops a question that failed or has no token, and goes on from where it was", async () => {
    const fake = open();
    const saved = [{ images: [], question: "Who?", answerIds: [1] }];
    const conversation = createKeepsight({}, fake.engine).converse({ turns: saved });
    const failed = conversation.ask({ question: "What?" });
    fake.fail(new EngineError({ code: "badImage", message: "No image." }));
    await expect(failed.result).rejects.toThrow("No image.");
    const stopper = new AbortController();
    const stopped = conversation.ask({ question: "Why?", signal: stopper.signal });
    stopper.abort();
    await stopped.result;
    expect(conversation.turns).toEqual(saved);
  });
});
