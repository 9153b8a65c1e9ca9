import { describe, expect, it, vi } from "vitest";
import type { Engine } from "@/protocol/engine";
import type { CacheFiles } from "./cacheFiles";
import { createKeptCaches } from "./keptCaches";

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
  const saveCache = async () => (bytes === undefined ? undefined : new Blob(["x".repeat(bytes)]));
  const restoreCache = vi.fn(async () => true);
  return { engine: { saveCache, restoreCache } as unknown as Engine, restoreCache };
}

const A = async () => "0a";
const B = async () => "0b";

describe("kept caches", () => {
  it("give the engine a conversation's cache once, when it holds another", async () => {
    const { files } = memoryFiles();
    const caches = createKeptCaches(files);
    const { engine, restoreCache } = engineOf(10);
    await caches.resume(engine, "a", A);
    expect(restoreCache, "nothing is kept").not.toHaveBeenCalled();
    await caches.keep(engine, "a", A);
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
    const caches = createKeptCaches(files);
    const { engine, restoreCache } = engineOf(10);
    await caches.keep(engine, "first", A);
    await caches.resume(engine, "second", B);
    expect(restoreCache, "other turns").not.toHaveBeenCalled();
    caches.freed();
    await caches.resume(engine, "second", A);
    expect(restoreCache).toHaveBeenCalledTimes(1);
    await caches.keep(engine, "second", B);
    expect(names()).toEqual(["first.0a", "second.0b"]);
    await caches.remove("first");
    expect(names()).toEqual(["second.0b"]);
  });

  it("stay below their limit: the oldest go first, one that is too large is not kept", async () => {
    const { files, names } = memoryFiles();
    const caches = createKeptCaches(files, 100);
    for (const id of ["a", "b", "a", "c"]) await caches.keep(engineOf(40).engine, id, A);
    expect(names()).toEqual(["a.0a", "c.0a"]);
    await caches.keep(engineOf(101).engine, "a", A);
    expect(names()).toEqual(["c.0a"]);
    await caches.remove("c");
    expect(caches.store.getState()).toEqual({ bytes: 0, count: 0 });
  });

  it("are not kept when they are removed while the engine saves them", async () => {
    const { files, names } = memoryFiles();
    const caches = createKeptCaches(files);
    for (const remove of [() => caches.remove("a"), () => caches.removeAll()]) {
      let save!: (saved: Blob) => void;
      const saved = new Promise<Blob>((resolve) => {
        save = resolve;
      });
      const engine = { saveCache: () => saved } as unknown as Engine;
      const keeping = caches.keep(engine, "a", A);
      await remove();
      save(new Blob(["x"]));
      await keeping;
      expect(names()).toEqual([]);
    }
  });

  it("are not kept where there is no cache or no storage, and nothing fails", async () => {
    const { files, names } = memoryFiles();
    await createKeptCaches(files).keep(engineOf(undefined).engine, "a", A);
    expect(names()).toEqual([]);
    const no = () => Promise.reject(new Error("no storage"));
    const none = createKeptCaches({ list: no, read: no, write: no, remove: no });
    const { engine } = engineOf(10);
    await none.keep(engine, "a", A);
    none.freed();
    await none.resume(engine, "a", A);
    await none.removeAll();
    expect(none.store.getState()).toEqual({ bytes: 0, count: 0 });
  });
});
