import { createStore } from "zustand/vanilla";
import type { ChatConversation } from "../conversation/conversation";
import type { ReadonlyStore } from "../readonlyStore";
import { type ConversationRecord, type Entry, entryOf, revive, toRecord } from "./records";

const DATABASE = "keepsight";
const CONVERSATIONS = "conversations";
/** A separate table, so that listing conversations reads no images. */
const ENTRIES = "entries";

export interface ArchiveState {
  readonly entries: readonly Entry[];
  /** False if the browser stores nothing, as in some private windows. */
  readonly isKept: boolean;
  /** Why the last change was not stored. */
  readonly failure: string | undefined;
}

/** Conversations stored in this browser, newest first. */
export interface Archive {
  readonly store: ReadonlyStore<ArchiveState>;
  /** The conversation that was changed last. */
  newest(): Promise<Entry | undefined>;
  save(conversation: ChatConversation): Promise<void>;
  /** Stores a conversation unchanged, including its date. */
  put(record: ConversationRecord): Promise<void>;
  read(id: string): Promise<ChatConversation | undefined>;
  record(id: string): Promise<ConversationRecord | undefined>;
  rename(id: string, name: string): Promise<void>;
  remove(id: string): Promise<void>;
}

/** Opens the archive. Without IndexedDB it stores nothing, and the page still works. */
export function createArchive(now: () => number = () => Date.now()): Archive {
  const store = createStore<ArchiveState>(() => ({
    entries: [],
    isKept: true,
    failure: undefined,
  }));
  const database = openDatabase();
  /** Executes writes in order. */
  let last: Promise<void> = refresh();

  async function table(name: string, mode: IDBTransactionMode): Promise<IDBObjectStore> {
    return (await database).transaction(name, mode).objectStore(name);
  }

  async function refresh() {
    try {
      const entries: Entry[] = await done((await table(ENTRIES, "readonly")).getAll());
      entries.sort((a, b) => b.updatedAt - a.updatedAt);
      store.setState({ entries, isKept: true });
    } catch {
      store.setState({ entries: [], isKept: false });
    }
  }

  /** Changes both tables in one transaction. */
  async function change(edit: (conversations: IDBObjectStore, entries: IDBObjectStore) => void) {
    try {
      const transaction = (await database).transaction([CONVERSATIONS, ENTRIES], "readwrite");
      edit(transaction.objectStore(CONVERSATIONS), transaction.objectStore(ENTRIES));
      await committed(transaction);
      store.setState({ failure: undefined });
    } catch (error) {
      if (store.getState().isKept) store.setState({ failure: sentence(error) });
    }
  }

  function write(edit: Parameters<typeof change>[0]): Promise<void> {
    last = last.then(() => change(edit)).then(refresh);
    return last;
  }

  const put = (record: ConversationRecord) =>
    write((conversations, entries) => {
      conversations.put(record);
      entries.put(entryOf(record));
    });

  async function record(id: string): Promise<ConversationRecord | undefined> {
    await last;
    const found = await table(CONVERSATIONS, "readonly")
      .then((conversations) => done<ConversationRecord | undefined>(conversations.get(id)))
      .catch(() => undefined);
    return found;
  }

  return {
    store,
    record,
    put,
    async newest() {
      await last;
      return store.getState().entries[0];
    },
    save: (conversation) => put(toRecord(conversation, now())),
    async read(id) {
      const found = await record(id);
      return found && revive(found, (blob) => URL.createObjectURL(blob));
    },
    rename: (id, name) =>
      write((conversations, entries) => {
        const request: IDBRequest<ConversationRecord | undefined> = conversations.get(id);
        request.onsuccess = () => {
          if (!request.result) return;
          const renamed = { ...request.result, name };
          conversations.put(renamed);
          entries.put(entryOf(renamed));
        };
      }),
    remove: (id) =>
      write((conversations, entries) => {
        conversations.delete(id);
        entries.delete(id);
      }),
  };
}

/** The message for a change that was not stored. */
function sentence(error: unknown): string {
  const isFull = error instanceof DOMException && error.name === "QuotaExceededError";
  return isFull
    ? "This browser's storage is full: the last change was not kept; deleting conversations makes room."
    : "The last change could not be kept in this browser; it ends with the page.";
}

function openDatabase(): Promise<IDBDatabase> {
  const opened = new Promise<IDBDatabase>((resolve, reject) => {
    if (typeof indexedDB === "undefined") return reject(new Error("No IndexedDB here"));
    const request = indexedDB.open(DATABASE, 2);
    request.onupgradeneeded = () => upgrade(request.result, request.transaction);
    request.onsuccess = () => {
      // A newer page in another tab has priority; this page then stores nothing and reports that.
      request.result.onversionchange = () => request.result.close();
      resolve(request.result);
    };
    request.onblocked = () => reject(new Error("An older page holds the database"));
    request.onerror = () => reject(request.error ?? new Error("IndexedDB did not open"));
  });
  // Callers handle the failure; this prevents an unhandled rejection before the first call.
  opened.catch(() => undefined);
  return opened;
}

/** Version 1 had conversations alone. */
function upgrade(database: IDBDatabase, transaction: IDBTransaction | null): void {
  const entries = database.createObjectStore(ENTRIES, { keyPath: "id" });
  if (!database.objectStoreNames.contains(CONVERSATIONS)) {
    database.createObjectStore(CONVERSATIONS, { keyPath: "id" });
    return;
  }
  const walk = transaction?.objectStore(CONVERSATIONS).openCursor();
  if (!walk) return;
  walk.onsuccess = () => {
    if (!walk.result) return;
    entries.put(entryOf(walk.result.value));
    walk.result.continue();
  };
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("IndexedDB failed"));
  });
}

/** A request may succeed although its transaction fails, for instance if the storage is full. */
function committed(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    const fail = () => reject(transaction.error ?? new Error("IndexedDB failed"));
    transaction.onerror = fail;
    transaction.onabort = fail;
  });
}
