const KEY = "keepsight.asked-to-persist";

/**
 * Asks the browser once to keep this page's data when its disk is full. Browsers decide by themselves or
 * ask the person; either answer stands.
 * @param storage remembers that it has asked
 */
export function createPersistence(
  storage: Pick<Storage, "getItem" | "setItem"> | undefined,
  manager: Pick<StorageManager, "persist" | "persisted"> | undefined = globalThis.navigator
    ?.storage,
): () => Promise<void> {
  let hasAsked = false;
  return async () => {
    if (hasAsked || !manager) return;
    hasAsked = true;
    try {
      if (storage?.getItem(KEY) || (await manager.persisted())) return;
      storage?.setItem(KEY, "yes");
      await manager.persist();
    } catch {
      // The data stays as it is: kept until the disk is full.
    }
  };
}
