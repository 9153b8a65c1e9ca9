import { describe, expect, test, vi } from "vitest";
import type { Engine } from "@/protocol/engine";
import { type EngineEvent, NO_MEMORY } from "@/protocol/event";
import { EngineError } from "@/protocol/failure";
import type { ModelInfo } from "@/protocol/model";
import type { AskRequest, CacheSettings, CompareRequest } from "@/protocol/request";
import type { LaneOutcome, TurnResult } from "@/protocol/result";
import { NO_CACHE_FILES, result } from "../app/testing";
import { type ConversationImage, emptyConversation } from "../conversation/conversation";
import { createCharts } from "../engine/charts";
import { createLoad } from "../engine/load";
import { createChat } from "./chat";
import { isAnswering } from "./chatState";
import { createStoredCaches } from "./storedCaches";

const full: CacheSettings = { policy: "full", retention: 1, scope: "visual", options: {} };
const tenth: CacheSettings = { ...full, policy: "aircache", retention: 0.1 };
const image: ConversationImage = {
  id: "p",
  title: "p",
  alt: "p",
  blob: new Blob(["p"]),
  url: "",
  width: 1,
  height: 1,
};

/** An engine whose calls end when the test says so. */
function heldEngine() {
  const asks: {
    readonly request: AskRequest;
    readonly resolve: (result: TurnResult) => void;
    readonly reject: (error: Error) => void;
  }[] = [];
  const compares: {
    readonly request: CompareRequest;
    readonly resolve: (outcomes: readonly LaneOutcome[]) => void;
    readonly reject: (error: Error) => void;
  }[] = [];
  let listener: (event: EngineEvent) => void = () => undefined;
  const calls = { load: 0, cancel: 0, clear: 0 };
  const engine: Engine = {
    load: async () => {
      calls.load += 1;
      return { layers: 8, adapter: {} } as ModelInfo;
    },
    ask: (request) => new Promise((resolve, reject) => asks.push({ request, resolve, reject })),
    cancel: async () => {
      calls.cancel += 1;
      asks.at(-1)?.reject(new EngineError({ code: "cancelled", message: "" }));
    },
    compare: (request) =>
      new Promise((resolve, reject) => compares.push({ request, resolve, reject })),
    preview: async () => ({ layers: [], kvBytes: 0 }),
    saveCache: async () => undefined,
    restoreCache: async () => false,
    inspect: () => Promise.reject(new Error("not in these tests")),
    priceImages: () => Promise.reject(new Error("not in these tests")),
    measure: () => Promise.reject(new Error("not in these tests")),
    clear: async () => {
      calls.clear += 1;
    },
    memory: async () => NO_MEMORY,
    subscribe: (each) => {
      listener = each;
      return () => undefined;
    },
  };
  return { engine, asks, compares, calls, emit: (event: EngineEvent) => listener(event) };
}

function setUp({ wantsReference = false } = {}) {
  const held = heldEngine();
  let ids = 0;
  let seed = 0;
  let clock = 0;
  const charts = createCharts();
  const caches = createStoredCaches(NO_CACHE_FILES);
  const load = createLoad(
    async () => held.engine,
    { baseUrl: "models/m/" },
    () => clock,
  );
  const chat = createChat({
    load,
    charts,
    sampling: () => ({ maxNewTokens: 8, temperature: 0, topK: 0, topP: 1, seed: seed++ }),
    wantsReference: () => wantsReference,
    newId: () => `id${ids++}`,
    now: () => 0,
    hidePatches: async (_, { patches }) => new Blob(patches.map(({ position }) => `${position}`)),
    caches,
  });
  chat.open(emptyConversation("c", 0, image));
  const runs = () =>
    chat.store
      .getState()
      .conversation.exchanges.flatMap(({ attempts }) => attempts.map(({ run }) => run.phase));
  return { ...held, load, charts, caches, chat, runs, passTime: (ms: number) => (clock += ms) };
}

const settled = () => new Promise((resolve) => setTimeout(resolve));

describe("a chat", () => {
  test("keeps a question until the model is ready, and sends it then", async () => {
    const { load, chat, asks, runs } = setUp();
    chat.ask("first", full);
    expect(runs()).toEqual(["queued"]);
    await load.start();
    expect(runs()).toEqual(["running"]);
    expect(asks[0]!.request.turns).toEqual([{ images: ["p"], question: "first" }]);
    expect(Object.keys(asks[0]!.request.images)).toEqual(["p"]);
  });

  test("asks one question at a time, the second with the first one's ids", async () => {
    const { load, chat, asks, runs } = setUp();
    await load.start();
    chat.ask("first", full);
    chat.ask("second", full);
    expect(asks).toHaveLength(1);
    asks[0]!.resolve(result({ tokenIds: [7, 2] }));
    await settled();
    expect(runs()).toEqual(["done", "running"]);
    expect(asks[1]!.request.turns).toEqual([
      { images: ["p"], question: "first", answerIds: [7, 2] },
      { images: [], question: "second" },
    ]);
    expect(asks[1]!.request.fresh).toBeUndefined();
  });

  test("samples each answer as the settings say when it begins, and notes it", async () => {
    const { load, chat, asks } = setUp();
    await load.start();
    chat.ask("first", full);
    chat.ask("second", full);
    asks[0]!.resolve(result());
    await settled();
    expect(asks.map(({ request }) => request.sampling.seed)).toEqual([0, 1]);
    const { run } = chat.store.getState().conversation.exchanges[0]!.attempts[0]!;
    expect(run).toMatchObject({ origin: { sampling: { seed: 0 } } });
  });

  test("asks again in a fresh prefill, under the settings of then", async () => {
    const { load, chat, asks, runs } = setUp();
    await load.start();
    chat.ask("first", full);
    asks[0]!.resolve(result());
    await settled();
    chat.askAgain(chat.store.getState().conversation.exchanges[0]!.id, tenth);
    expect(runs()).toEqual(["done", "running"]);
    expect(asks[1]!.request).toMatchObject({ fresh: true, settings: tenth });
    expect(asks[1]!.request.turns).toEqual([{ images: ["p"], question: "first" }]);
  });

  test("keeps a failed question where it stood and runs it once more on request", async () => {
    const { load, chat, asks, runs } = setUp();
    await load.start();
    chat.ask("first", full);
    asks[0]!.reject(new EngineError({ code: "outOfMemory", message: "full", action: "keepLess" }));
    await settled();
    expect(runs()).toEqual(["failed"]);
    const [attempt] = chat.store.getState().conversation.exchanges[0]!.attempts;
    chat.retry(attempt!.id, tenth);
    expect(runs()).toEqual(["running"]);
    expect(asks[1]!.request.settings).toEqual(tenth);
  });

  test("shows an answer before its reference, and keeps it if the reference fails", async () => {
    const { load, chat, asks, runs } = setUp({ wantsReference: true });
    await load.start();
    chat.ask("first", tenth);
    expect(asks[0]!.request.reference).toBe(true);
    expect(isAnswering(chat.store.getState())).toBe(true);
    const told = result({ answer: "11", retention: 0.1 });
    chat.record({ type: "answered", result: told });
    expect(runs()).toEqual(["done"]);
    expect(chat.store.getState().running).toBeDefined();
    expect(isAnswering(chat.store.getState()), "the next question may be asked").toBe(false);
    asks[0]!.reject(new EngineError({ code: "internal", message: "no" }));
    await settled();
    const [attempt] = chat.store.getState().conversation.exchanges[0]!.attempts;
    expect(attempt!.run).toMatchObject({ phase: "done", result: { answer: "11" } });
    expect(chat.store.getState().running).toBeUndefined();
    chat.askWithout(chat.store.getState().conversation.exchanges[0]!.id, tenth, {
      image: "p",
      patches: [{ position: 1, box: { x: 0, y: 0, width: 1, height: 1 } }],
    });
    await settled();
    expect(asks[1]!.request.reference).toBeUndefined();
  });

  test("asks all lanes of a comparison in one call and tells their events apart", async () => {
    const { load, chat, asks, compares } = setUp();
    await load.start();
    chat.compare("first", [full, tenth]);
    expect(compares.map(({ request }) => request.lanes)).toEqual([[full, tenth]]);
    expect(compares[0]!.request.turns).toEqual([{ images: ["p"], question: "first" }]);
    expect(asks).toHaveLength(0);
    chat.record({ type: "stage", stage: "prefill", done: 9, total: 9 });
    chat.record({ type: "token", index: 0, id: 5, text: "A", ms: 1, lane: 0 });
    chat.record({ type: "token", index: 0, id: 6, text: "B", ms: 1, lane: 1 });
    const { conversation, running, shown } = chat.store.getState();
    const { attempts } = conversation.exchanges[0]!;
    expect(attempts.map(({ run }) => run)).toMatchObject([
      { text: "A", stages: [{ stage: "prefill" }] },
      { text: "B", stages: [{ stage: "prefill" }] },
    ]);
    expect(attempts[0]!.comparison).toBe(attempts[1]!.comparison);
    expect([running, shown]).toEqual([attempts[1]!.id, attempts[1]!.id]);
  });

  test("goes on from the first lane, and leaves a failed lane's sentence in its place", async () => {
    const { load, chat, asks, compares, runs } = setUp();
    await load.start();
    chat.compare("first", [full, tenth]);
    const failure = { code: "capTooSmall", message: "no room" } as const;
    compares[0]!.resolve([{ result: result({ tokenIds: [7, 2] }) }, { failure }]);
    await settled();
    expect(runs()).toEqual(["done", "failed"]);
    chat.ask("second", full);
    expect(asks[0]!.request.turns[0]).toMatchObject({ answerIds: [7, 2] });
  });

  test("fails every lane of a comparison that was refused, and retries one alone", async () => {
    const { load, chat, asks, compares, runs } = setUp();
    await load.start();
    chat.compare("first", [full, tenth]);
    compares[0]!.reject(new EngineError({ code: "badImage", message: "no" }));
    await settled();
    expect(runs()).toEqual(["failed", "failed"]);
    chat.retry(chat.store.getState().conversation.exchanges[0]!.attempts[1]!.id, tenth);
    expect(asks[0]!.request).toMatchObject({ settings: tenth, fresh: true });
  });

  test("leaves no rejection unhandled where the engine is lost while it stops", async () => {
    const { engine, load, chat, asks, runs } = setUp();
    const unhandled = vi.fn();
    process.once("unhandledRejection", unhandled);
    engine.cancel = async () => {
      const lost = new EngineError({ code: "deviceLost", message: "lost" });
      asks[0]!.reject(lost);
      throw lost;
    };
    await load.start();
    chat.ask("first", full);
    chat.stop();
    await settled();
    process.off("unhandledRejection", unhandled);
    expect(runs()[0]).toBe("failed");
    expect(unhandled).not.toHaveBeenCalled();
  });

  test("stops an answer whose stored cache is being restored", async () => {
    const { load, caches, chat, asks, runs } = setUp();
    await load.start();
    chat.ask("first", full);
    asks[0]!.resolve(result());
    await settled();
    let restored = () => {};
    vi.spyOn(caches, "resume").mockReturnValueOnce(new Promise((resolve) => (restored = resolve)));
    chat.ask("second", full);
    chat.stop();
    restored();
    await settled();
    expect(runs()).toEqual(["done", "failed"]);
    expect(asks).toHaveLength(1);
    chat.ask("third", full);
    await settled();
    expect(asks, "only what ran is stopped").toHaveLength(2);
  });

  test("stops what runs before it frees a conversation that was left", async () => {
    const { load, chat, asks, calls, runs } = setUp();
    await load.start();
    chat.ask("first", full);
    chat.open(emptyConversation("d", 0, { ...image, id: "q" }), "image");
    chat.ask("about q", full);
    expect(asks).toHaveLength(1);
    await vi.waitFor(() => expect(asks).toHaveLength(2));
    expect(calls).toMatchObject({ cancel: 1, clear: 1 });
    expect(runs()).toEqual(["running"]);
    expect(asks[1]!.request.turns).toEqual([{ images: ["q"], question: "about q" }]);
    expect(chat.store.getState().left?.id).toBe("c");
  });

  test("does not take the cache of an answer that was left for the next conversation's", async () => {
    const { engine, load, caches, chat, asks } = setUp();
    const kept = vi.spyOn(caches, "save");
    await load.start();
    chat.ask("first", full);
    vi.spyOn(engine, "cancel").mockImplementation(async () => {
      asks[0]!.resolve(result({ finish: "cancelled" }));
    });
    chat.open(emptyConversation("d", 0, image));
    await settled();
    expect(kept).not.toHaveBeenCalled();
    chat.ask("second", full);
    await vi.waitFor(() => expect(asks).toHaveLength(2));
    asks[1]!.resolve(result());
    await settled();
    expect(kept.mock.calls.map(([, id]) => id)).toEqual(["d"]);
  });

  test("has nothing cached from the moment a conversation is left, while its rows are being freed", async () => {
    const { engine, load, charts, chat } = setUp();
    await load.start();
    const reading = () => charts.store.getState().reading;
    const memory = { type: "memory", at: 0, pools: { ...NO_MEMORY, kv: 7 }, fullKv: 9 } as const;
    chat.record(memory);
    expect(reading()).toMatchObject({ fullKv: 9 });
    let freed!: () => void;
    vi.spyOn(engine, "clear").mockReturnValue(new Promise((resolve) => (freed = resolve)));
    chat.open(emptyConversation("d", 0, image));
    expect(reading()).toBeUndefined();
    chat.record(memory);
    expect(reading()).toBeUndefined();
    freed();
    await settled();
    chat.record(memory);
    expect(reading()).toMatchObject({ fullKv: 9 });
  });

  test("opens another conversation while the model loads, and does not ask a busy worker to free rows", async () => {
    const { engine, load, chat, asks, calls } = setUp();
    let loaded!: (info: ModelInfo) => void;
    const info = new Promise<ModelInfo>((resolve) => {
      loaded = resolve;
    });
    vi.spyOn(engine, "load").mockReturnValue(info);
    const loading = load.start();
    await settled();
    chat.open(emptyConversation("other", 0));
    chat.ask("first", full);
    await settled();
    expect(calls.clear).toBe(0);
    loaded({ layers: 8, adapter: {} } as ModelInfo);
    await loading;
    await settled();
    expect(asks).toHaveLength(1);
  });

  test("loads again after a lost device and answers the next question", async () => {
    const { load, chat, asks, calls, emit, runs } = setUp();
    await load.start();
    chat.ask("first", full);
    emit({ type: "deviceLost", message: "gone" });
    asks[0]!.reject(new EngineError({ code: "deviceLost", message: "gone" }));
    await settled();
    expect(calls.load).toBe(2);
    expect(load.store.getState().phase).toBe("ready");
    chat.ask("second", full);
    expect(runs()).toEqual(["failed", "running"]);
    await settled();
    expect(asks[1]!.request.turns).toEqual([{ images: ["p"], question: "second" }]);
  });

  test("gives up on a device that keeps getting lost, until asked to load", async () => {
    const { load, calls, emit, passTime } = setUp();
    await load.start();
    for (let loss = 0; loss < 3; loss++) {
      emit({ type: "deviceLost", message: "gone" });
      await settled();
    }
    expect(calls.load).toBe(3);
    expect(load.store.getState().phase).toBe("failed");
    passTime(61_000);
    await load.retry();
    emit({ type: "deviceLost", message: "gone" });
    await settled();
    expect(load.store.getState().phase).toBe("ready");
  });

  test("does not give up on a device that answers between its losses", async () => {
    const { load, chat, asks, emit, runs } = setUp();
    await load.start();
    for (let loss = 0; loss < 5; loss++) {
      emit({ type: "deviceLost", message: "gone" });
      await settled();
      chat.ask(`question ${loss}`, full);
      await vi.waitFor(() => expect(asks).toHaveLength(loss + 1));
      asks[loss]!.resolve(result());
      await vi.waitFor(() => expect(runs()[loss]).toBe("done"));
    }
    expect(runs()).toEqual(Array.from({ length: 5 }, () => "done"));
  });

  test("records what every answer looks at", async () => {
    const { load, chat, asks, compares } = setUp();
    await load.start();
    chat.ask("first", full);
    asks[0]!.resolve(result());
    await settled();
    chat.compareAgain(chat.store.getState().conversation.exchanges[0]!.id, [full, tenth]);
    expect(asks[0]!.request.explain).toBe(true);
    expect(compares[0]!.request.explain).toBe(true);
  });

  test("asks again about a copy with a patch painted over, and goes on from the whole image", async () => {
    const { load, chat, asks } = setUp();
    await load.start();
    chat.ask("first", tenth);
    asks[0]!.resolve(result({ tokenIds: [1] }));
    await settled();
    const asked = chat.store.getState().conversation.exchanges[0]!;
    const patches = [{ position: 142, box: { x: 0, y: 0, width: 0.5, height: 0.5 } }];
    chat.askWithout(asked.id, tenth, { image: "p", patches });
    await settled();
    const { request } = asks[1]!;
    expect(request).toMatchObject({ fresh: true, explain: true, settings: tenth });
    expect(request.turns).toEqual([{ images: ["p"], question: "first" }]);
    expect(await request.images.p!.text()).toBe("142");
    asks[1]!.resolve(result({ tokenIds: [9] }));
    await settled();
    const { conversation } = chat.store.getState();
    expect(conversation.exchanges[0]!.attempts[1]!.hidden?.patches).toBe(patches);
    chat.ask("second", tenth);
    expect(asks[2]!.request.turns[0]!.answerIds).toEqual([1]);
    expect(await asks[2]!.request.images.p!.text()).toBe("p");
  });

  test("says so where an image cannot be painted", async () => {
    const { load, chat, asks, runs } = setUp();
    await load.start();
    chat.ask("first", full);
    asks[0]!.resolve(result());
    await settled();
    const { id } = chat.store.getState().conversation.exchanges[0]!;
    chat.askWithout(id, full, { image: "gone", patches: [] });
    await settled();
    expect(runs()).toEqual(["done", "failed"]);
    expect(asks).toHaveLength(1);
  });
});
