import { expect, test, vi } from "vitest";
import type { Hub } from "@/hub/hub";
import type { StoredModel } from "@/hub/storedModels";
import type { Load } from "../engine/load";
import { createModels } from "./models";

const KEPT = { id: "some-body/model", key: "k", commit: "c0", isComplete: true } as StoredModel;

function setUp() {
  const hub: Partial<Hub> = {
    endpoint: "https://hub.example",
    named: (address) => address,
    list: async () => [KEPT],
    files: async () => new Map(),
  };
  const load = { start: vi.fn(async () => {}), use: vi.fn(async () => {}) };
  const begin = vi.fn();
  const embedded = { baseUrl: "https://keepsight.example/models/m/" };
  const models = createModels({
    hub: hub as Hub,
    load: load as Partial<Load> as Load,
    embedded,
    begin,
  });
  return { models, load, begin };
}

const request = expect.objectContaining({ baseUrl: "https://hub.example/some-body/model/" });

test("a stored model at the start leaves the conversation, which is restored meanwhile", async () => {
  const { models, load, begin } = setUp();
  await models.start(KEPT.id);
  expect(load.use).toHaveBeenCalledWith(request);
  expect(models.store.getState().inUse).toBe("k");
  expect(begin).not.toHaveBeenCalled();
});

test("another model later begins a new conversation", async () => {
  const { models, load, begin } = setUp();
  await models.start();
  await models.choose(KEPT);
  expect(load.use).toHaveBeenCalledWith(request);
  expect(begin).toHaveBeenCalledOnce();
});

test("the model of an earlier answer comes back for the same conversation, if it is here", async () => {
  const { models, load, begin } = setUp();
  expect(models.resuming("model")).toBeUndefined();
  await models.refresh();
  expect(models.resuming("other")).toBeUndefined();
  await models.resuming("model")?.();
  expect(load.use).toHaveBeenLastCalledWith(request);
  expect(models.store.getState().inUse).toBe("k");
  await models.resuming("m")?.();
  expect(load.use).toHaveBeenLastCalledWith({ baseUrl: "https://keepsight.example/models/m/" });
  expect(models.store.getState().inUse).toBeUndefined();
  expect(begin).not.toHaveBeenCalled();
});
