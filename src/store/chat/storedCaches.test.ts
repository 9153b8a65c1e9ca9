import { describe, expect, it, vi } from "vitest";
import type { Engine } from "@/protocol/engine";
import { NO_MEMORY } from "@/protocol/event";
import type { CacheFiles } from "./cacheFiles";
import { createStoredCaches } from "./storedCaches";

function memoryFiles() {
  const content = new Map<string, { readonly blob: Blob; readonly at: number }>();
  let clock = 0;
  const files: CacheFiles = {
    list: async () => [...content].map(([name, { blob, at }]) => ({ name, bytes: blob.size, at })),
    read: async (name) => content.get(name)?.blob,
    write: async (name, blob) => void content.set(name, { blob, at: ++clock }),
    remove: async (name) => void content.delete(name),
  };
  return { files, names: () => [...content.keys()] };
}

function engineOf(bytes: number | undefined) {
  const saved = bytes === undefined ? undefined : new Blob(["x".repeat(bytes)]);
  const saveCache = vi.fn(async () => saved);
  const restoreCache = vi.fn(async () => true);
  const memory = async () => ({ ...NO_MEMORY, kv: bytes ?? 0 });
  return {
    engine: { saveCache, restoreCache, memory } as unknown as Engine,
    saveCache,
    restoreCache,
  };
}

const A = async () => ["0a"];
const B = async () => ["0b"];

describe("stored caches", () => {
  it("give the engine a conversation's cache once, when it holds another", async () => {
    const { files } = memoryFiles();
    const caches = createStoredCaches(files);
    const { engine, restoreCache } = engineOf(10);
    await caches.resume(engine, "a", A);
    expect(restoreCache, "nothing is stored").not.toHaveBeenCalled();
    await caches.save(engine, "a", A);
    expect(caches.store.getState()).toEqual({ bytes: 10, count: 1 });
    await caches.resume(engine, "a", A);
    expect(restoreCache, "the engine holds it").not.toHaveBeenCalled();
    caches.freed();
    await caches.resume(engine, "a", A);
    await caches.resume(engine, "a", A);
    expect(restoreCache).toHaveBeenCalledTimes(1);
  });

  it("serve another conversation with the same digest, until the one that wrote them is removed", async () => {
    const { files, names } = memoryFiles();
    const caches = createStoredCaches(files);
    const { engine, restoreCache } = engineOf(10);
    await caches.save(engine, "first", A);
    await caches.resume(engine, "second", B);
    expect(restoreCache, "other turns").not.toHaveBeenCalled();
    caches.freed();
    await caches.resume(engine, "second", A);
    expect(restoreCache).toHaveBeenCalledTimes(1);
    await caches.save(engine, "second", B);
    expect(names()).toEqual(["first.0a", "second.0b"]);
    await caches.remove("first");
    expect(names()).toEqual(["second.0b"]);
  });

  it("are found by either of their digests, and by their conversation", async () => {
    const { files, names } = memoryFiles();
    const caches = createStoredCaches(files);
    const { engine, restoreCache } = engineOf(10);
    await caches.save(engine, "first", async () => ["0a", "0c"]);
    expect(names()).toEqual(["first.0a.0c"]);
    for (const [id, digests, times] of [
      ["second", ["0b", "0c"], 1],
      ["third", ["0b"], 1],
      ["first", ["0b"], 2],
    ] as const) {
      caches.freed();
      await caches.resume(engine, id, async () => digests);
      expect(restoreCache, id).toHaveBeenCalledTimes(times);
    }
    await caches.remove("first");
    expect(names()).toEqual([]);
  });

  it("stay below their limit: the oldest go first, one that is too large is not stored", async () => {
    const { files, names } = memoryFiles();
    const caches = createStoredCaches(files, 100);
    for (const id of ["a", "b", "a", "c"]) await caches.save(engineOf(40).engine, id, A);
    expect(names()).toEqual(["a.0a", "c.0a"]);
    const large = engineOf(101);
    await caches.save(large.engine, "a", A);
    expect(names()).toEqual(["c.0a"]);
    expect(large.saveCache, "it is not even read").not.toHaveBeenCalled();
    await caches.remove("c");
    expect(caches.store.getState()).toEqual({ bytes: 0, count: 0 });
  });

  it("are not stored when they are removed while the engine saves them", async () => {
    const { files, names } = memoryFiles();
    const caches = createStoredCaches(files);
    for (const remove of [() => caches.remove("a"), () => caches.removeAll()]) {
      let save!: (saved: Blob) => void;
      const saved = new Promise<Blob>((resolve) => {
        save = resolve;
      });
      const engine = { ...engineOf(0).engine, saveCache: () => saved } as Engine;
      const saving = caches.save(engine, "a", A);
      await remove();
      save(new Blob(["x"]));
      await saving;
      expect(names()).toEqual([]);
    }
  });

  it("are not stored where there is no cache or no storage, and nothing fails", async () => {
    const { files, names } = memoryFiles();
    await createStoredCaches(files).save(engineOf(undefined).engine, "a", A);
    expect(names()).toEqual([]);
    const no = () => Promise.reject(new Error("no storage"));
    const none = createStoredCaches({ list: no, read: no, write: no, remove: no });
    const { engine } = engineOf(10);
    await none.save(engine, "a", A);
    none.freed();
    await none.resume(engine, "a", A);
    await none.removeAll();
    expect(none.store.getState()).toEqual({ bytes: 0, count: 0 });
  });
});
