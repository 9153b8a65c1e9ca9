import { entryOf } from "./records";

const DATABASE = "keepsight";
export const CONVERSATIONS = "conversations";
/** A separate table, so that listing conversations reads no images. */
export const ENTRIES = "entries";

export function openDatabase(): Promise<IDBDatabase> {
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

/** Version 1 had only the conversations table. */
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

/** A request's result. */
export function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("IndexedDB failed"));
  });
}

/** A request may succeed although its transaction fails, for instance if the storage is full. */
export function committed(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    const fail = () => reject(transaction.error ?? new Error("IndexedDB failed"));
    transaction.onerror = fail;
    transaction.onabort = fail;
  });
}

/** The database does not answer. */
export class SilentError extends Error {
  override readonly name = "SilentError";
}

/** @throws SilentError if there was no response in time */
export async function answerWithin<T>(answer: Promise<T>, ms: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const silence = new Promise<never>((_, reject) => {
    // If the main thread was busy, a pending answer is delivered before the second timer.
    const end = () => {
      timer = setTimeout(() => reject(new SilentError("No answer")), 100);
    };
    timer = setTimeout(end, ms);
  });
  try {
    return await Promise.race([answer, silence]);
  } finally {
    clearTimeout(timer);
  }
}
