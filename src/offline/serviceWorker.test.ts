import { createHash } from "node:crypto";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

const SCOPE = "https://keepsight.example/";
const PATH = "models/m/model.safetensors";
const CONTENT = Uint8Array.from({ length: 8 }, (_, index) => index);
const DIGEST = createHash("sha256").update(CONTENT).digest("hex");

/** A service worker of a build with one file, in a browser whose storage is full or forbidden. */
async function setUp() {
  const listeners = new Map<string, (event: unknown) => void>();
  const asked: (string | null)[] = [];
  const skipWaiting = vi.fn();
  vi.stubGlobal("self", {
    skipWaiting,
    registration: { scope: SCOPE, active: null },
    clients: { matchAll: async () => [{ url: SCOPE }] },
    addEventListener: (type: string, listener: (event: unknown) => void) =>
      listeners.set(type, listener),
  });
  vi.stubGlobal("BUILT_FILES", { [PATH]: [CONTENT.length, DIGEST] });
  vi.stubGlobal("caches", { open: () => Promise.reject(new DOMException("", "SecurityError")) });
  vi.stubGlobal("fetch", async (request: string | Request) => {
    const range = typeof request === "string" ? null : request.headers.get("range");
    asked.push(range);
    const [start, last] = (range?.match(/\d+/g) ?? [0, 7]).map(Number) as [number, number];
    return new Response(CONTENT.slice(start, last + 1), { status: range ? 206 : 200 });
  });
  await import("./serviceWorker");

  /** The bytes of a range, once the worker has nothing more to do for it. */
  async function read(range: string): Promise<readonly number[]> {
    const work: Promise<unknown>[] = [];
    let answer: Promise<Response> | undefined;
    listeners.get("fetch")?.({
      request: new Request(SCOPE + PATH, { headers: { range } }),
      respondWith: (given: Promise<Response>) => (answer = given),
      waitUntil: (given: Promise<unknown>) => work.push(given),
    });
    const bytes = new Uint8Array(await (await answer!).arrayBuffer());
    await Promise.all(work);
    return [...bytes];
  }

  /** Asks the worker to replace the older one; the only page answers whether it waits. */
  async function takeOver(isAwaited: boolean): Promise<void> {
    const { port1, port2 } = new MessageChannel();
    const data = { order: "takeOver", confirms: true };
    let work: Promise<unknown> | undefined;
    const waitUntil = (given: Promise<unknown>) => (work = given);
    listeners.get("message")?.({ data, ports: [port2], waitUntil });
    port1.onmessage = () => port1.postMessage(isAwaited);
    await work;
    port1.close();
  }
  return { asked, read, takeOver, skipWaiting };
}

beforeEach(() => void vi.resetModules());
afterEach(() => void vi.unstubAllGlobals());

test("a file that cannot be stored is downloaded whole once; later ranges come from the network", async () => {
  const { asked, read } = await setUp();
  expect(await read("bytes=0-2")).toEqual([0, 1, 2]);
  expect(await read("bytes=3-4")).toEqual([3, 4]);
  expect(await read("bytes=5-7")).toEqual([5, 6, 7]);
  expect(asked).toEqual([null, "bytes=3-4", "bytes=5-7"]);
});

test("a newer build takes over only while its page waits for it", async () => {
  const { takeOver, skipWaiting } = await setUp();
  await takeOver(false);
  expect(skipWaiting).not.toHaveBeenCalled();
  await takeOver(true);
  expect(skipWaiting).toHaveBeenCalledOnce();
});
