import { expect, it, vi } from "vitest";
import { deleteEverything, type Storages } from "./deleteEverything";

/** Storages that hold names only. */
function browser() {
  const held = {
    databases: new Set(["keepsight", "another page"]),
    files: new Set(["models", "caches", "another page"]),
    caches: new Set(["keepsight-1", "another page"]),
    local: { "keepsight.theme": "dark", "another page": "x" } as Record<string, unknown>,
    workers: new Set(["https://host.example/keepsight/", "https://host.example/"]),
  };
  const request = (act: () => void) => {
    const made: { onsuccess?: () => void } = {};
    queueMicrotask(() => {
      act();
      made.onsuccess?.();
    });
    return made;
  };
  const local = Object.assign(held.local, {});
  Object.defineProperty(local, "removeItem", { value: (key: string) => delete local[key] });
  const storages = {
    indexedDB: {
      databases: async () => [...held.databases].map((name) => ({ name })),
      deleteDatabase: (name: string) => request(() => held.databases.delete(name)),
    },
    files: async () => ({
      async *keys() {
        yield* [...held.files];
      },
      removeEntry: async (name: string) => void held.files.delete(name),
    }),
    caches: {
      keys: async () => [...held.caches],
      delete: async (name: string) => held.caches.delete(name),
    },
    localStorage: local,
    serviceWorker: {
      getRegistrations: async () =>
        [...held.workers].map((scope) => ({
          scope,
          unregister: async () => held.workers.delete(scope),
        })),
    },
    scope: "https://host.example/keepsight/",
  };
  return { held, storages: storages as unknown as Storages };
}

it("deletes what this page has stored, and nothing of another page", async () => {
  const { held, storages } = browser();
  expect(await deleteEverything(storages)).toEqual([]);
  const { databases, files, caches, workers, local } = held;
  for (const names of [databases, files, caches, Object.keys(local)]) {
    expect([...names]).toEqual(["another page"]);
  }
  expect([...workers]).toEqual(["https://host.example/"]);
});

it("goes on after a storage that refuses, and names it", async () => {
  const { held, storages } = browser();
  const refusing = { ...storages, files: vi.fn(async () => Promise.reject(new Error("in use"))) };
  expect(await deleteEverything(refusing)).toEqual(["files"]);
  expect([held.databases.size, held.caches.size, held.workers.size]).toEqual([1, 1, 1]);
});

it("has nothing to do where a browser has no storage", async () => {
  expect(await deleteEverything({})).toEqual([]);
});
