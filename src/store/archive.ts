import { createStore, type StoreApi } from "zustand/vanilla";
import type { Conversation } from "./conversation";
import { type ConversationRecord, type Entry, entryOf, revive, toRecord } from "./records";

const DATABASE = "keepsight";
const TABLE = "conversations";

/** Conversations that are kept in this browser, newest first. */
export interface Archive {
  readonly store: StoreApi<{
    readonly entries: readonly Entry[];
    /** False where the browser keeps nothing, as in some private windows. */
    readonly isKept: boolean;
  }>;
  /** The conversation that was touched last. */
  newest(): Promise<Entry | undefined>;
  save(conversation: Conversation): Promise<void>;
  read(id: string): Promise<Conversation | undefined>;
  record(id: string): Promise<ConversationRecord | undefined>;
  rename(id: string, name: string): Promise<void>;
  remove(id: string): Promise<void>;
}

/** Opens the archive; without IndexedDB it keeps nothing, and the page works all the same. */
export function createArchive(now: () => number = () => Date.now()): Archive {
  const store = createStore<ReturnType<Archive["store"]["getState"]>>(() => ({
    entries: [],
    isKept: true,
  }));
  const database = openDatabase();
  /** Writes in the order in which they were asked for. */
  let last: Promise<void> = refresh();

  async function table(mode: IDBTransactionMode): Promise<IDBObjectStore> {
    return (await database).transaction(TABLE, mode).objectStore(TABLE);
  }

  async function refresh() {
    try {
      const records: ConversationRecord[] = await done((await table("readonly")).getAll());
      const entries = records.map(entryOf).sort((a, b) => b.updatedAt - a.updatedAt);
      store.setState({ entries, isKept: true });
    } catch {
      store.setState({ entries: [], isKept: false });
    }
  }

  function write(change: () => Promise<unknown>): Promise<void> {
    last = last.then(change).then(refresh, refresh);
    return last;
  }

  async function record(id: string): Promise<ConversationRecord | undefined> {
    await last;
    return done((await table("readonly")).get(id));
  }

  return {
    store,
    record,
    async newest() {
      await last;
      return store.getState().entries[0];
    },
    save: (conversation) =>
      write(async () => done((await table("readwrite")).put(toRecord(conversation, now())))),
    async read(id) {
      const found = await record(id).catch(() => undefined);
      return found && revive(found, (blob) => URL.createObjectURL(blob));
    },
    rename: (id, name) =>
      write(async () => {
        const found: ConversationRecord | undefined = await done((await table("readonly")).get(id));
        if (found) await done((await table("readwrite")).put({ ...found, name }));
      }),
    remove: (id) => write(async () => done((await table("readwrite")).delete(id))),
  };
}

function openDatabase(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    if (typeof indexedDB === "undefined") return reject(new Error("No IndexedDB here"));
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(TABLE, { keyPath: "id" });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("IndexedDB did not open"));
  });
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("IndexedDB failed"));
  });
}
