import { afterEach, expect, it, vi } from "vitest";
import { storageFolder } from "./cacheFiles";

/** The origin private file system, as far as caches use it, with a number of bytes that it takes. */
function stubStorage(room: number): ReadonlyMap<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  const getFileHandle = async (name: string) => {
    files.set(name, files.get(name) ?? new Uint8Array());
    const write = (part: Uint8Array) => {
      if (part.length > room) throw new DOMException("full", "QuotaExceededError");
      files.set(name, part);
    };
    return { createWritable: async () => new WritableStream({ write }) };
  };
  const removeEntry = async (name: string) => void files.delete(name);
  const folder = { getFileHandle, removeEntry };
  const root = { getDirectoryHandle: async () => folder };
  vi.stubGlobal("navigator", { storage: { getDirectory: async () => root } });
  return files;
}

afterEach(() => vi.unstubAllGlobals());

it("leaves no part of a file that does not fit", async () => {
  const files = stubStorage(3);
  const folder = storageFolder("caches");
  await folder.write("small", new Blob(["abc"]));
  await expect(folder.write("large", new Blob(["abcd"]))).rejects.toThrow("full");
  expect([...files.keys()]).toEqual(["small"]);
  expect(new TextDecoder().decode(files.get("small"))).toBe("abc");
});
