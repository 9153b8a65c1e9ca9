import { createStore } from "zustand/vanilla";
import type { Engine } from "@/protocol/engine";
import { NO_MEMORY } from "@/protocol/event";
import type { ReadonlyStore } from "../readonlyStore";
import type { CacheFiles } from "./cacheFiles";

/** Bytes of all stored caches; the oldest are removed beyond it. */
export const STORED_CACHES_LIMIT = 256e6;

interface StoredCachesState {
  readonly bytes: number;
  readonly count: number;
}

/**
 * The compressed caches of conversations, in the browser's storage, found by the digest of what they follow
 * from (`cacheDigest`): a conversation that is opened again, or another one with the same images and turns, goes
 * on without a prefill. The engine uses as much of a cache as the question's prompt shares with it, and refuses what
 * does not match.
 */
export interface StoredCaches {
  readonly store: ReadonlyStore<StoredCachesState>;
  /**
   * Before a question: gives the engine the cache with the first of these digests that there is, or the
   * conversation's own; undefined if it holds the conversation's already.
   */
  resume(engine: Engine, conversationId: string, digests: Digests): Promise<void> | undefined;
  /** After an answer: stores the cache, to be found by these. A failure, as in a private window, stores nothing. */
  save(engine: Engine, conversationId: string, digests: Digests): Promise<void>;
  /** The engine's cache is gone: another conversation, another model, a lost device. */
  freed(): void;
  remove(conversationId: string): Promise<void>;
  removeAll(): Promise<void>;
}

/** Of a cache; computed only where they are needed. */
type Digests = () => Promise<readonly string[]>;

/** The conversation that wrote the file, with which it is removed, and the cache's digests. */
const nameOf = (id: string, digests: readonly string[]) => [id, ...digests].join(".");

async function find(files: CacheFiles, id: string, digests: Digests): Promise<Blob | undefined> {
  const names = (await files.list()).map(({ name }) => name.split("."));
  const wanted = await digests();
  const found = wanted
    .map((digest) => names.find((parts) => parts.slice(1).includes(digest)))
    .find((parts) => parts !== undefined);
  const file = found ?? names.find((parts) => parts[0] === id);
  return file && files.read(file.join("."));
}

export function createStoredCaches(files: CacheFiles, limit = STORED_CACHES_LIMIT): StoredCaches {
  const store = createStore<StoredCachesState>(() => ({ bytes: 0, count: 0 }));
  /** The conversation whose cache the engine holds. */
  let resident: string | undefined;
  /** Changes when caches are removed: one that is being saved then is not stored. */
  let removals = 0;
  /** Executes writes in order. */
  let last: Promise<void> = measure();

  async function measure(): Promise<void> {
    const all = await files.list().catch(() => []);
    const bytes = all.reduce((sum, file) => sum + file.bytes, 0);
    store.setState({ bytes, count: all.length });
  }

  /** Removes the oldest until `needed` more bytes fit. */
  async function makeRoom(needed: number): Promise<void> {
    const all = (await files.list()).toSorted((a, b) => a.at - b.at);
    let bytes = needed + all.reduce((sum, file) => sum + file.bytes, 0);
    for (const { name, bytes: freed } of all) {
      if (bytes <= limit) return;
      await files.remove(name);
      bytes -= freed;
    }
  }

  function write(task: () => Promise<void>): Promise<void> {
    last = last
      .then(task)
      .catch(() => undefined)
      .then(measure);
    return last;
  }

  async function restore(engine: Engine, id: string, digests: Digests): Promise<void> {
    await last;
    const saved = await find(files, id, digests).catch(() => undefined);
    if (saved) await engine.restoreCache(saved).catch(() => false);
  }

  async function removeOf(id: string): Promise<void> {
    for (const { name } of await files.list()) {
      if (name.split(".")[0] === id) await files.remove(name);
    }
  }

  return {
    store,
    resume(engine, id, digests) {
      if (resident === id) return undefined;
      resident = id;
      return restore(engine, id, digests);
    },
    async save(engine, id, digests) {
      resident = id;
      const before = removals;
      // To read a cache takes its bytes several times: one that is too large is not read.
      const { kv } = await engine.memory().catch(() => NO_MEMORY);
      if (kv > limit) return write(() => removeOf(id));
      const saved = await engine.saveCache().catch(() => undefined);
      if (!saved || removals !== before) return;
      await write(async () => {
        await removeOf(id);
        if (saved.size > limit) return;
        await makeRoom(saved.size);
        await files.write(nameOf(id, await digests()), saved);
      });
    },
    freed() {
      resident = undefined;
    },
    remove(id) {
      removals++;
      return write(() => removeOf(id));
    },
    removeAll() {
      removals++;
      return write(async () => {
        for (const { name } of await files.list()) await files.remove(name);
      });
    },
  };
}
