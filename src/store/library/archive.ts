import { createStore } from "zustand/vanilla";
import type { ChatConversation } from "../conversation/conversation";
import type { ReadonlyStore } from "../readonlyStore";
import { type ConversationRecord, type Entry, entryOf, revive, toRecord } from "./records";

const DATABASE = "keepsight";
const CONVERSATIONS = "conversations";
/** Beside the conversations, so that listing them reads no images. */
const ENTRIES = "entries";

export interface ArchiveState {
  readonly entries: readonly Entry[];
  /** False where the browser keeps nothing, as in some private windows. */
  readonly isKept: boolean;
  /** Why the last change was not kept. */
  readonly failure: string | undefined;
}

/** Conversations that are kept in this browser, newest first. */
export interface Archive {
  readonly store: ReadonlyStore<ArchiveState>;
  /** The conversation that was touched last. */
  newest(): Promise<Entry | undefined>;
  save(conversation: ChatConversation): Promise<void>;
  /** Keeps a conversation as it is, its date included. */
  put(record: ConversationRecord): Promise<void>;
  read(id: string): Promise<ChatConversation | undefined>;
  record(id: string): Promise<ConversationRecord | undefined>;
  rename(id: string, name: string): Promise<void>;
  remove(id: string): Promise<void>;
}

/** Opens the archive; without IndexedDB it keeps nothing, and the page works all the same. */
export function createArchive(now: () => number = () => Date.now()): Archive {
  const store = createStore<ArchiveState>(() => ({
    entries: [],
    isKept: true,
    failure: undefined,
  }));
  const database = openDatabase();
  /** Writes in the order in which they were asked for. */
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

  /** Both tables change together, or neither does. */
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

/** What to say of a change that was not kept. */
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
      // A newer page in another tab goes first; this one then keeps nothing and says so.
      request.result.onversionchange = () => request.result.close();
      resolve(request.result);
    };
    request.onblocked = () => reject(new Error("An older page holds the database"));
    request.onerror = () => reject(request.error ?? new Error("IndexedDB did not open"));
  });
  // Who uses it hears of the failure; nobody may have done so yet.
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

/** A request may succeed and its transaction still fail: there was no room to write it. */
function committed(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    const fail = () => reject(transaction.error ?? new Error("IndexedDB failed"));
    transaction.onerror = fail;
    transaction.onabort = fail;
  });
}
