import { expect, it } from "vitest";
import type { Engine } from "@/protocol/engine";
import type { EngineEvent } from "@/protocol/event";
import { EngineError } from "@/protocol/failure";
import type { ModelInfo } from "@/protocol/model";
import { createLoad } from "./load";
import { loadShare, loadWaitsFor } from "./model";

/** An engine whose loads succeed, or wait for ever, and that says what the test tells it to. */
function engine(loads = true) {
  let listener: (event: EngineEvent) => void = () => undefined;
  let stop: (error: EngineError) => void = () => undefined;
  let count = 0;
  const fake: Partial<Engine> = {
    load: () => {
      count += 1;
      return loads
        ? Promise.resolve({} as ModelInfo)
        : new Promise((_, reject) => {
            stop = reject;
          });
    },
    cancel: async () => {},
    subscribe: (hears) => {
      listener = hears;
      return () => undefined;
    },
  };
  const lose = async (isStop: boolean) => {
    listener({ type: "deviceLost", message: "", ...(isStop ? { isStop: true } : {}) });
    await new Promise((resolve) => setTimeout(resolve));
  };
  const ended = () => stop(new EngineError({ code: "cancelled", message: "Stopped." }));
  const tell = (event: EngineEvent) => listener(event);
  return { fake: fake as Engine, lose, ended, tell, count: () => count };
}

const open = (fake: Engine) =>
  createLoad(
    async () => fake,
    { baseUrl: "model/" },
    () => 0,
  );

it("loads again after every Stop that ended the engine, and counts only lost devices", async () => {
  const { fake, lose, count } = engine();
  const load = open(fake);
  await load.start();
  for (let stops = 0; stops < 5; stops++) await lose(true);
  expect(load.store.getState().phase).toBe("ready");
  expect(count()).toBe(6);
  for (let losses = 0; losses < 3; losses++) await lose(false);
  expect(load.store.getState()).toMatchObject({ phase: "failed", failure: { code: "deviceLost" } });
});

it("loads again with other types", async () => {
  const asked: unknown[] = [];
  const { fake } = engine();
  const loads: Partial<Engine> = {
    load: async (request) => {
      asked.push(request);
      return {} as ModelInfo;
    },
  };
  let types: { weightType?: "q8" } = {};
  const load = createLoad(
    async () => ({ ...fake, ...loads }),
    { baseUrl: "model/" },
    () => 0,
    () => types,
  );
  await load.start();
  types = { weightType: "q8" };
  await load.reload();
  expect(asked).toEqual([{ baseUrl: "model/" }, { baseUrl: "model/", weightType: "q8" }]);
});

it("loads once for two changes that come at once, with what was asked for last", async () => {
  const { fake } = engine();
  const asked: string[] = [];
  let running = 0;
  const loads: Partial<Engine> = {
    load: async ({ baseUrl }) => {
      if (running > 0) throw new EngineError({ code: "busy", message: "Busy." });
      running += 1;
      asked.push(baseUrl);
      await new Promise((resolve) => setTimeout(resolve));
      running -= 1;
      return {} as ModelInfo;
    },
    cancel: () => new Promise((resolve) => setTimeout(resolve)),
  };
  const load = open({ ...fake, ...loads });
  const phases: string[] = [];
  load.store.subscribe(({ phase }) => phases.push(phase));
  await load.start();
  await Promise.all([load.use({ baseUrl: "b/" }), load.use({ baseUrl: "c/" })]);
  expect(phases).not.toContain("failed");
  expect(load.store.getState().phase).toBe("ready");
  expect(asked).toEqual(["model/", "c/"]);
});

it("ends what the engine still does before it loads another model", async () => {
  const calls: string[] = [];
  const { fake } = engine();
  const told: Partial<Engine> = {
    load: async ({ baseUrl }) => {
      calls.push(baseUrl);
      return {} as ModelInfo;
    },
    cancel: async () => {
      await new Promise((resolve) => setTimeout(resolve));
      calls.push("ended");
    },
  };
  const load = open({ ...fake, ...told });
  await load.start();
  await load.use({ baseUrl: "other/" });
  expect(calls).toEqual(["model/", "ended", "other/"]);
});

it("does not load again what was stopped while it loaded", async () => {
  const { fake, lose, ended, count } = engine(false);
  const load = open(fake);
  const started = load.start();
  await new Promise((resolve) => setTimeout(resolve));
  ended();
  await lose(true);
  await started;
  expect(load.store.getState()).toMatchObject({ phase: "failed", failure: { code: "cancelled" } });
  expect(count()).toBe(1);
});

it("says what it waits for: files, kernels of the GPU, or the test of the adapter", async () => {
  const { fake, tell } = engine(false);
  const load = open(fake);
  void load.start();
  await new Promise((resolve) => setTimeout(resolve));
  const state = () => {
    const model = load.store.getState();
    if (model.phase !== "loading") throw new Error(`The model is ${model.phase}.`);
    return [loadWaitsFor(model), loadShare(model)];
  };
  const file = {
    type: "load",
    file: "a",
    loadedBytes: 1,
    totalBytes: 4,
    phase: "download",
  } as const;
  expect(state()).toEqual(["files", 0]);
  tell({ ...file, kernels: { compiled: 0, asked: 3 } });
  expect(state()).toEqual(["files", 0.25]);
  tell({ ...file, loadedBytes: 4, kernels: { compiled: 1, asked: 4 } });
  expect(state()).toEqual(["kernels", 0.25]);
  tell({ ...file, loadedBytes: 4, kernels: { compiled: 4, asked: 4 } });
  expect(state()).toEqual(["files", 1]);
  tell({ ...file, loadedBytes: 4, phase: "selfTest", kernels: { compiled: 4, asked: 8 } });
  expect(state()).toEqual(["selfTest", 0.5]);
  tell({ ...file, loadedBytes: 4, phase: "compile", kernels: { compiled: 8, asked: 8 } });
  expect(state()).toEqual(["kernels", 1]);
});
