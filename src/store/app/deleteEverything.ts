import { MODELS_FOLDER } from "@/hub/storedModels";
import { CACHES_FOLDER } from "../chat/cacheFiles";

/** Prefix of this page's databases, caches and entries of `localStorage`: an origin may serve other pages. */
const OWN = "keepsight";
/** This page's folders in the origin private file system. */
const FOLDERS: readonly string[] = [MODELS_FOLDER, CACHES_FOLDER];

const isOwn = (name: string) => name.startsWith(OWN);

/** The browser's storages that this page uses; a browser may lack each. */
export interface Storages {
  readonly indexedDB?: IDBFactory | undefined;
  readonly caches?: CacheStorage | undefined;
  readonly localStorage?: Storage | undefined;
  /** Folder of the origin private file system. */
  readonly files?: (() => Promise<FileSystemDirectoryHandle>) | undefined;
  readonly serviceWorker?: Pick<ServiceWorkerContainer, "getRegistrations"> | undefined;
  /** Scope of this page's service worker. */
  readonly scope?: string;
}

/** This browser's. A storage that the browser forbids throws when it is read. */
export function ownStorages(): Storages {
  const read = <T>(get: () => T): T | undefined => {
    try {
      return get();
    } catch {
      return undefined;
    }
  };
  return {
    indexedDB: read(() => indexedDB),
    caches: read(() => caches),
    localStorage: read(() => localStorage),
    files: read(() => () => navigator.storage.getDirectory()),
    serviceWorker: read(() => navigator.serviceWorker),
    scope: new URL(".", document.baseURI).href,
  };
}

/**
 * Deletes all that this page has stored: conversations with their images and caches, models, settings, and
 * its own files for offline use. The page must be loaded again afterwards.
 * @returns the storages of which something is left
 */
export async function deleteEverything(storages: Storages): Promise<readonly string[]> {
  const steps: Readonly<Record<string, () => Promise<unknown>>> = {
    indexedDB: async () => {
      const found = (await storages.indexedDB?.databases()) ?? [];
      const own = found.flatMap(({ name }) => (name !== undefined && isOwn(name) ? name : []));
      await Promise.all(own.map((name) => deleteDatabase(storages.indexedDB!, name)));
    },
    files: async () => {
      const root = await storages.files?.();
      if (!root) return;
      const found: string[] = [];
      for await (const name of root.keys()) if (FOLDERS.includes(name)) found.push(name);
      await Promise.all(found.map((name) => root.removeEntry(name, { recursive: true })));
    },
    caches: async () => {
      const names = ((await storages.caches?.keys()) ?? []).filter(isOwn);
      await Promise.all(names.map((name) => storages.caches?.delete(name)));
    },
    localStorage: async () => {
      const keys = Object.keys(storages.localStorage ?? {}).filter(isOwn);
      for (const key of keys) storages.localStorage?.removeItem(key);
    },
    // Last, because it serves this page.
    serviceWorker: async () => {
      const found = (await storages.serviceWorker?.getRegistrations()) ?? [];
      const own = found.filter(({ scope }) => scope === storages.scope);
      await Promise.all(own.map((registration) => registration.unregister()));
    },
  };
  const left: string[] = [];
  for (const [name, step] of Object.entries(steps)) await step().catch(() => left.push(name));
  return left;
}

/** Other connections close themselves when they hear of it; one that does not is waited for no longer. */
function deleteDatabase(factory: IDBFactory, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = factory.deleteDatabase(name);
    request.onsuccess = () => resolve();
    request.onerror = () => reject(request.error);
    setTimeout(() => reject(new Error("the database is in use")), 5000);
  });
}
