import { expect, it } from "vitest";
import { type DownloadProgress, downloadFiles } from "./downloadFiles";

const BYTES = 1000;
const files = Array.from({ length: 5 }, (_, i) => ({ name: `${i}.safetensors`, bytes: BYTES }));
const repository = { id: "owner/name", revision: "main", commit: "0".repeat(40), files };

const contentOf = (name: string) =>
  Uint8Array.from({ length: BYTES }, (_, i) => (i * 7 + name.charCodeAt(0)) % 251);

/** A server whose answers wait until several requests came, and the files that take them. */
function setUp({ hasRanges = true, refused = "" } = {}) {
  const seen = { open: 0, mostOpen: 0, requests: 0, mostRequests: 0 };
  const stored = new Map<string, number[]>();
  const fetchUrl = async (url: string, init: RequestInit) => {
    const name = url.split("/").at(-1)!;
    if (name === refused) return new Response("", { status: 404 });
    seen.mostRequests = Math.max(seen.mostRequests, ++seen.requests);
    await new Promise((done) => setTimeout(done, 5));
    init.signal?.throwIfAborted();
    const [start, last] = new Headers(init.headers).get("range")!.match(/\d+/g)!.map(Number);
    const content = contentOf(name);
    const body = new ReadableStream({
      async pull(controller) {
        await new Promise((done) => setTimeout(done, 2));
        controller.enqueue(hasRanges ? content.slice(start, last! + 1) : content);
        seen.requests--;
        controller.close();
      },
    });
    return new Response(body, { status: hasRanges ? 206 : 200 });
  };
  const open = async (name: string) => {
    seen.mostOpen = Math.max(seen.mostOpen, ++seen.open);
    const bytes = stored.get(name) ?? [];
    stored.set(name, bytes);
    return {
      getSize: () => bytes.length,
      read: () => 0,
      write: (from: Uint8Array) => bytes.push(...from) && from.length,
      truncate: () => void bytes.splice(0),
      flush: () => {},
      close: () => void seen.open--,
    };
  };
  const told: DownloadProgress[] = [];
  const run = () =>
    downloadFiles(repository, {
      ...{ endpoint: "https://hub.test", fetch: fetchUrl as typeof fetch, open },
      ...{ pieceBytes: 128, retryMs: 1, onProgress: (progress) => told.push(progress) },
    });
  return { run, seen, stored, told };
}

it("downloads three files at once over six connections, and tells each one's bytes", async () => {
  const { run, seen, stored, told } = setUp();
  await run();
  for (const { name } of files) expect(Uint8Array.from(stored.get(name)!)).toEqual(contentOf(name));
  expect(seen).toMatchObject({ open: 0, mostOpen: 3, requests: 0, mostRequests: 6 });
  expect(told.at(-1)).toEqual({
    files: files.map((file) => ({ ...file, loadedBytes: BYTES })),
    ...{ loadedBytes: 5 * BYTES, totalBytes: 5 * BYTES },
  });
  expect(
    told.some((each) => each.files.filter(({ loadedBytes }) => loadedBytes > 0).length === 2),
  ).toBe(true);
});

it("needs one connection per file where the server has no ranges", async () => {
  const { run, seen, stored } = setUp({ hasRanges: false });
  await run();
  for (const { name } of files) expect(Uint8Array.from(stored.get(name)!)).toEqual(contentOf(name));
  expect(seen.mostRequests).toBe(3);
});

it("stops all files at the first failure, and closes them", async () => {
  const { run, seen, stored } = setUp({ refused: "1.safetensors" });
  await expect(run()).rejects.toThrow("The model owner/name has no file 1.safetensors.");
  expect(seen.open).toBe(0);
  expect([...stored.keys()].length).toBeLessThan(5);
});
