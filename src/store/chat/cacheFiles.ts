/** Of the origin private file system. */
export const CACHES_FOLDER = "caches";

/** Files in the browser's storage, by name. */
export interface CacheFiles {
  list(): Promise<
    readonly { readonly name: string; readonly bytes: number; readonly at: number }[]
  >;
  read(name: string): Promise<Blob | undefined>;
  /** @throws an error of the browser; no part of the file stays then */
  write(name: string, content: Blob): Promise<void>;
  remove(name: string): Promise<void>;
}

/** A folder of the origin private file system. Where it does not exist, every call fails. */
export function storageFolder(folder: string): CacheFiles {
  const directory = async () =>
    (await navigator.storage.getDirectory()).getDirectoryHandle(folder, { create: true });
  return {
    async list() {
      const files = [];
      for await (const [name, handle] of (await directory()).entries()) {
        if (handle.kind !== "file") continue;
        const { size: bytes, lastModified: at } = await handle.getFile();
        files.push({ name, bytes, at });
      }
      return files;
    },
    async read(name) {
      const handle = await (await directory()).getFileHandle(name).catch(() => undefined);
      return handle?.getFile();
    },
    async write(name, content) {
      const all = await directory();
      try {
        const handle = await all.getFileHandle(name, { create: true });
        await content.stream().pipeTo(await handle.createWritable());
      } catch (error) {
        // The file is there from its first byte on, and would count as a stored cache.
        await all.removeEntry(name).catch(() => undefined);
        throw error;
      }
    },
    async remove(name) {
      await (await directory()).removeEntry(name).catch(() => undefined);
    },
  };
}
