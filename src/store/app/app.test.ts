import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { POLICIES } from "@/compression/registry";
import { createHub } from "@/hub/hub";
import type { Engine } from "@/protocol/engine";
import { NO_MEMORY } from "@/protocol/event";
import type { ModelInfo } from "@/protocol/model";
import type { AskRequest, CompareRequest } from "@/protocol/request";
import { createApp } from "./app";
import type { AppOptions } from "./parts";
import { result } from "./testing";

/** A page whose list of samples comes when the test says so; an engine that answers at once. */
function setUp(given: Partial<AppOptions> = {}) {
  const asks: AskRequest[] = [];
  const compares: CompareRequest[] = [];
  const engine: Partial<Engine> = {
    load: async () => ({ layers: 8, adapter: {} }) as ModelInfo,
    ask: async (request) => {
      asks.push(request);
      return result();
    },
    compare: async (request) => {
      compares.push(request);
      return request.lanes.map(() => ({ result: result() }));
    },
    cancel: async () => undefined,
    clear: async () => undefined,
    saveCache: async () => undefined,
    memory: async () => NO_MEMORY,
    subscribe: () => () => undefined,
  };
  let listSamples = () => {};
  const listed = new Promise<void>((resolve) => {
    listSamples = resolve;
  });
  vi.stubGlobal("fetch", async () => {
    await listed;
    return Response.json([]);
  });
  const app = createApp({
    connect: async () => engine as Engine,
    policies: POLICIES,
    modelUrl: "https://keepsight.example/models/m/",
    hub: createHub("https://hub.example"),
    samplesUrl: "https://keepsight.example/samples.json",
    settings: { policy: "h2o", keepPercent: 50 },
    storage: undefined,
    afterDrawing: (call) => call(),
    ...given,
  });
  app.start();
  return { app, asks, compares, listSamples };
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 5));
const policiesOf = (requests: readonly AskRequest[]) =>
  requests.map(({ settings: { policy, retention } }) => [policy, retention]);

beforeEach(() => void vi.stubGlobal("indexedDB", undefined));
afterEach(() => void vi.unstubAllGlobals());

describe("a question", () => {
  test("that is quicker than the first image waits, and keeps the settings of its moment", async () => {
    const { app, asks, listSamples } = setUp();
    void app.ask("What?");
    app.settings.choose({ policy: "snapkv", keepPercent: 20 });
    await settled();
    expect(asks).toEqual([]);
    listSamples();
    await settled();
    void app.ask("And?");
    await settled();
    expect(policiesOf(asks)).toEqual([
      ["h2o", 0.5],
      ["snapkv", 0.2],
    ]);
  });

  test("is not sent where the image that it waits for cannot be read", async () => {
    const { app, asks, compares, listSamples } = setUp();
    listSamples();
    await settled();
    const ask = () => {
      void app.viewer.choose([{ title: "a.png", blob: new Blob(["no image"]) }], "add");
      return app.ask("What?");
    };
    expect(await ask()).toBe(false);
    app.comparison.toggle();
    const before = app.comparison.store.getState();
    expect(await ask()).toBe(false);
    expect(app.comparison.store.getState()).toEqual(before);
    expect(app.chat.store.getState().conversation.exchanges).toEqual([]);
    expect(app.viewer.store.getState().failure?.message).toContain("a.png");
    app.comparison.toggle();
    expect(await app.ask("What?"), "the second time without it").toBe(true);
    await settled();
    expect([asks.length, compares.length]).toEqual([1, 0]);
    expect(app.viewer.store.getState().failure).toBeUndefined();
  });

  test("is not sent where the image that it waits for is cancelled or replaced", async () => {
    const { app, asks, listSamples } = setUp();
    listSamples();
    await settled();
    const ask = () => {
      void app.viewer.chooseAddresses(["https://site.example/a.png"], "new");
      return app.ask("What?");
    };
    const cancelled = ask();
    app.viewer.stopReading();
    expect(await cancelled).toBe(false);
    const replaced = ask();
    void app.viewer.chooseAddresses(["https://site.example/b.png"], "new");
    expect(await replaced).toBe(false);
    expect(app.chat.store.getState().conversation.exchanges).toEqual([]);
    expect(asks).toEqual([]);
  });

  test("that is typed again word for word is answered afresh in its place", async () => {
    const { app, asks, compares, listSamples } = setUp();
    listSamples();
    await settled();
    for (const question of ["What?", "What?", "And?"]) {
      void app.ask(question);
      await settled();
    }
    app.comparison.toggle();
    void app.ask("What?");
    await settled();
    const { exchanges } = app.chat.store.getState().conversation;
    expect(exchanges.map(({ question }) => question)).toEqual(["What?", "And?"]);
    expect(asks.map(({ fresh, turns }) => [fresh, turns.length])).toEqual([
      [undefined, 1],
      [true, 1],
      [undefined, 2],
    ]);
    expect(compares[0]!.turns).toHaveLength(1);
  });

  test("is asked in lanes while comparing is on, with the lanes of its moment", async () => {
    const { app, asks, compares, listSamples } = setUp();
    app.comparison.toggle();
    const [, second] = app.comparison.store.getState().lanes;
    app.comparison.change(second!.id, { policy: "tova", keepPercent: 30 });
    void app.ask("What?");
    // No lane is pinned: the next question is asked alone.
    expect(app.comparison.store.getState().isOn).toBe(false);
    void app.ask("And?");
    listSamples();
    await settled();
    expect(compares).toHaveLength(1);
    expect(compares[0]!.lanes.map(({ policy }) => policy)).toContain("tova");
    expect(policiesOf(asks)).toEqual([["h2o", 0.5]]);
    const questions = app.chat.store.getState().conversation.exchanges.map((each) => each.question);
    expect(questions).toEqual(["What?", "And?"]);
  });

  test("of a shared link is not asked where its sample is not shown", async () => {
    const { app, asks, listSamples } = setUp({ shared: { question: "What?", lanes: [] } });
    await app.load.start();
    listSamples();
    await settled();
    expect(app.chat.store.getState().conversation.exchanges).toEqual([]);
    expect(asks).toEqual([]);
  });
});
