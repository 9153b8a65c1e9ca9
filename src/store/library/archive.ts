import { createStore } from "zustand/vanilla";
import { texts } from "@/language/language";
import type { ChatConversation } from "../conversation/conversation";
import type { ReadonlyStore } from "../readonlyStore";
import {
  answerWithin,
  CONVERSATIONS,
  committed,
  done,
  ENTRIES,
  openDatabase,
  SilentError,
} from "./database";
import { type ConversationRecord, type Entry, entryOf, toRecord } from "./records";
import { thumbnailOf } from "./thumbnail";

export interface ArchiveState {
  readonly entries: readonly Entry[];
  /** False if the browser stores nothing, as in some private windows. */
  readonly isStoring: boolean;
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
  record(id: string): Promise<ConversationRecord | undefined>;
  rename(id: string, name: string): Promise<void>;
  remove(id: string): Promise<void>;
}

/** A database that does not answer within this time is not used. */
const OPEN_MS = 8_000;
/** Time for one write; images may be large. */
const WRITE_MS = 30_000;

type Edit = (conversations: IDBObjectStore, entries: IDBObjectStore) => void;

/** Opens the archive. Without IndexedDB it stores nothing, and the page still works. */
export function createArchive(now: () => number = () => Date.now(), openMs = OPEN_MS): Archive {
  const store = createStore<ArchiveState>(() => ({
    entries: [],
    isStoring: true,
    failure: undefined,
  }));
  let database = openDatabase();
  /** Executes writes in order. */
  let last: Promise<void> = answerWithin(list(), openMs).then(show, giveUp);

  async function table(name: string, mode: IDBTransactionMode): Promise<IDBObjectStore> {
    return (await database).transaction(name, mode).objectStore(name);
  }

  async function list(): Promise<readonly Entry[]> {
    const entries: Entry[] = await done((await table(ENTRIES, "readonly")).getAll());
    return entries.sort((a, b) => b.updatedAt - a.updatedAt);
  }

  function show(entries: readonly Entry[]) {
    store.setState({ entries, isStoring: true });
  }

  /** From now on nothing is stored, and requests fail at once. */
  function giveUp(error: unknown) {
    store.setState({
      entries: [],
      isStoring: false,
      ...(error instanceof SilentError ? { failure: texts.library.silent } : {}),
    });
    void database.then((late) => late.close()).catch(() => undefined);
    database = Promise.reject(error);
    database.catch(() => undefined);
  }

  /** Changes both tables in one transaction. */
  async function change(edit: Edit) {
    try {
      const transaction = (await database).transaction([CONVERSATIONS, ENTRIES], "readwrite");
      edit(transaction.objectStore(CONVERSATIONS), transaction.objectStore(ENTRIES));
      await answerWithin(committed(transaction), WRITE_MS);
      store.setState({ failure: undefined });
    } catch (error) {
      if (store.getState().isStoring) store.setState({ failure: sentence(error) });
    }
  }

  /** @param prepared what the edit waits for besides earlier writes */
  function write(edit: Edit, prepared?: Promise<unknown>): Promise<void> {
    last = last
      .then(() => prepared)
      .then(() => change(edit))
      .then(list)
      .then(show, giveUp);
    return last;
  }

  function put(record: ConversationRecord): Promise<void> {
    const image = record.pictures[0]?.blob;
    let thumbnail: string | undefined;
    const drawn = image && thumbnailOf(image).then((url) => (thumbnail = url));
    return write((conversations, entries) => {
      conversations.put(record);
      entries.put(entryOf(record, thumbnail));
    }, drawn);
  }

  async function record(id: string): Promise<ConversationRecord | undefined> {
    await last;
    return table(CONVERSATIONS, "readonly")
      .then((conversations) => done<ConversationRecord | undefined>(conversations.get(id)))
      .catch(() => undefined);
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
    rename: (id, name) => write(renaming(id, name)),
    remove: (id) =>
      write((conversations, entries) => {
        conversations.delete(id);
        entries.delete(id);
      }),
  };
}

/** Changes the name of a conversation, if it exists, and keeps its thumbnail. */
function renaming(id: string, name: string): Edit {
  return (conversations, entries) => {
    const request: IDBRequest<ConversationRecord | undefined> = conversations.get(id);
    request.onsuccess = () => {
      if (!request.result) return;
      const renamed = { ...request.result, name };
      conversations.put(renamed);
      const entry: IDBRequest<Entry | undefined> = entries.get(id);
      entry.onsuccess = () => entries.put(entryOf(renamed, entry.result?.thumbnail));
    };
  };
}

/** The message for a change that was not stored. */
function sentence(error: unknown): string {
  const isFull = error instanceof DOMException && error.name === "QuotaExceededError";
  return isFull ? texts.library.full : texts.library.lastNotStored;
}
