import { type ByteRange, parseRange, partialResponse } from "./byteRange";
import { Download } from "./download";
import type { Replacement, RequestEvent, ServiceWorkerScope } from "./scope";

/**
 * Stores the page for offline use. A file is stored under its path and digest, and only if its
 * bytes have that digest, so builds share equal files and never mix different ones. A newer build
 * is downloaded completely and waits until the older one has no page except the one that asks
 * (`page.ts`).
 */

/** Size and SHA-256 of the files of this build, by path; the build writes them before this script. */
declare const BUILT_FILES: Readonly<Record<string, readonly [bytes: number, digest: string]>>;
/** The Content-Security-Policy of this build; a dedicated worker obeys the one of its script alone. */
declare const POLICY: string;

const worker = self as unknown as ServiceWorkerScope;
const { scope } = worker.registration;
const CACHE = `keepsight ${scope}`;
const PAGE = "index.html";
const MODELS = "models/";
const PATHS = Object.keys(BUILT_FILES);

/** How often, and after which pause in ms, a newer build looks whether another page is open. */
const LOOKS = 5;
const LOOK_MS = 300;
/** A worker without an event for this time, in ms, is at rest; it waits for that until the second time is over. */
const REST_MS = 500;
const MOST_REST_MS = 2500;

/** Downloads of files that are read in ranges, by path. */
const downloads = new Map<string, Promise<Download>>();
/** Files that are being stored, by path. */
const storing = new Map<string, Promise<void>>();
/** Files that came whole and could not be stored: they are left to the network while this worker lives. */
const unstorable = new Set<string>();
/** When the newest event came. */
let lastEventAt = 0;

const addressOf = (path: string) => new URL(path, scope).href;
const keyOf = (path: string) => `${addressOf(path)}?${BUILT_FILES[path]![1]}`;

worker.addEventListener("install", (event) => {
  // The first worker takes control at once, to store the model as it is read. A newer one downloads
  // everything.
  if (worker.registration.active) event.waitUntil(storedModels().then(complete));
});

worker.addEventListener("activate", (event) => {
  event.waitUntil(
    forgetOthers()
      .catch(() => undefined)
      .then(() => worker.clients.claim()),
  );
});

worker.addEventListener("message", (event) => {
  const { data, ports } = event;
  const [reply] = ports;
  if (data.order !== "keep") {
    const replace = data.order === "handOver" ? handOver : takeOver;
    return event.waitUntil(replace(reply as MessagePort, data));
  }
  const model = PATHS.filter((path) => path.startsWith(data.model));
  event.waitUntil(complete(model).catch(() => undefined));
});

worker.addEventListener("fetch", (event) => {
  lastEventAt = Date.now();
  const { method, url, mode } = event.request;
  if (method !== "GET" || !url.startsWith(scope)) return;
  const path = new URL(url).pathname.slice(new URL(scope).pathname.length);
  if (path === "" && mode === "navigate") return event.respondWith(answer(event, PAGE));
  if (Object.hasOwn(BUILT_FILES, path)) return event.respondWith(answer(event, path));
  // The engine probes for optional model files; offline, a file that is not in this build does not
  // exist.
  const [folder] = /^models\/[^/]+\//.exec(path) ?? [];
  if (folder === undefined || !PATHS.some((each) => each.startsWith(folder))) return;
  event.respondWith(fetch(event.request).catch(() => new Response(null, { status: 404 })));
});

async function answer(event: RequestEvent, path: string): Promise<Response> {
  const header = event.request.headers.get("range");
  const range = header === null ? undefined : parseRange(header, BUILT_FILES[path]![0]);
  const kept = await stored(path);
  if (range) return kept ? cutOut(kept, range, path) : passPart(event, range, path);
  if (kept) return withPolicy(kept, path);
  const response = await fetch(event.request);
  if (response.status !== 200) return response;
  const copy = response.clone();
  event.waitUntil(store(path, () => copy.arrayBuffer(), typeOf(copy)).catch(() => undefined));
  return withPolicy(response, path);
}

/** Scripts carry the policy, even if the host sends no such header. */
function withPolicy(response: Response, path: string): Response {
  if (!path.endsWith(".js")) return response;
  const { body, status, headers } = response;
  const copy = new Headers(headers);
  copy.set("content-security-policy", POLICY);
  return new Response(body, { status, headers: copy });
}

async function cutOut(kept: Response, range: ByteRange, path: string): Promise<Response> {
  const blob = await kept.blob();
  const part = blob.slice(range.start, range.end);
  return partialResponse(part, range, BUILT_FILES[path]![0], typeOf(kept));
}

/** Reads the whole file once, for any number of range requests. */
async function passPart(event: RequestEvent, range: ByteRange, path: string): Promise<Response> {
  if (unstorable.has(path)) return fetch(event.request);
  const started = downloads.get(path) ?? startDownload(path);
  downloads.set(path, started);
  try {
    const download = await started;
    const kept = store(path, () => download.whole, download.type);
    const leave = () => download.whole.then(() => unstorable.add(path));
    event.waitUntil(
      kept
        .catch(leave)
        .finally(() => downloads.delete(path))
        .catch(() => undefined),
    );
    return partialResponse(download.part(range), range, download.size, download.type);
  } catch {
    downloads.delete(path);
    return fetch(event.request);
  }
}

async function startDownload(path: string): Promise<Download> {
  const response = await fetch(addressOf(path), { cache: "no-cache" });
  if (response.status !== 200 || !response.body) throw new Error(`${path}: ${response.status}`);
  return new Download(response.body, BUILT_FILES[path]![0], typeOf(response));
}

/** Stores missing files, the page itself last, so that it loads offline only when complete. */
async function complete(model: readonly string[]): Promise<void> {
  const shell = PATHS.filter((path) => !path.startsWith(MODELS) && path !== PAGE);
  for (const path of [...shell, ...model, PAGE]) {
    await storing.get(path)?.catch(() => undefined);
    if (await stored(path)) continue;
    const response = await fetch(addressOf(path), { cache: "no-cache" });
    await store(path, () => response.arrayBuffer(), typeOf(response));
  }
}

/** Files of this build whose model an earlier build had stored. */
async function storedModels(): Promise<readonly string[]> {
  const kept = await (await caches.open(CACHE)).keys();
  const addresses = new Set(kept.map(({ url }) => url.slice(0, url.indexOf("?"))));
  return PATHS.filter((path) => path.startsWith(MODELS) && addresses.has(addressOf(path)));
}

async function forgetOthers(): Promise<void> {
  const cache = await caches.open(CACHE);
  const current = new Set(PATHS.map(keyOf));
  for (const { url } of await cache.keys()) if (!current.has(url)) await cache.delete(url);
}

/** Storage may be forbidden or full; the page then uses the network. */
async function stored(path: string): Promise<Response | undefined> {
  const cache = await caches.open(CACHE).catch(() => undefined);
  return cache?.match(keyOf(path)).catch(() => undefined);
}

/** @throws if the bytes are not those of this build, or the storage is full. */
function store(path: string, read: () => Promise<BufferSource>, type: string): Promise<void> {
  const running = storing.get(path) ?? write(path, read, type).finally(() => storing.delete(path));
  storing.set(path, running);
  return running;
}

async function write(path: string, read: () => Promise<BufferSource>, type: string) {
  const bytes = await read();
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const digest = Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
  if (digest !== BUILT_FILES[path]![1]) throw new Error(`${path} is of another build`);
  const headers = { "content-type": type, "content-length": String(bytes.byteLength) };
  await (await caches.open(CACHE)).put(keyOf(path), new Response(bytes, { headers }));
}

/**
 * Asks the waiting worker to take over when this one is at rest. Chromium replaces a worker at once only if it has no
 * event at the moment of `skipWaiting`; otherwise it looks again when the worker has been idle for 30 s, and more calls
 * change nothing. A page that has just loaded still reads files.
 */
async function handOver(reply: MessagePort, { confirms }: Replacement): Promise<void> {
  const started = Date.now();
  while (Date.now() - lastEventAt < REST_MS && Date.now() - started < MOST_REST_MS) {
    await pause(REST_MS);
  }
  const isAtRest = Date.now() - lastEventAt >= REST_MS;
  const { waiting } = worker.registration;
  const order: Replacement = { order: "takeOver", ...(confirms && { confirms }) };
  if (isAtRest && waiting) waiting.postMessage(order, [reply]);
  else reply.postMessage(false);
}

/**
 * Takes over only if the asking page is the only one open, because other pages need their build, and if it still
 * waits: one that is in use would lose what somebody types.
 */
async function takeOver(reply: MessagePort, { confirms }: Replacement): Promise<void> {
  const isAlone = await becomesAlone();
  const isAwaited = confirms ? answerFrom(reply) : true;
  reply.postMessage(isAlone);
  if (!isAlone || !(await isAwaited)) return;
  await pause(LOOK_MS); // the order itself is an event of the older worker
  await worker.skipWaiting();
}

function answerFrom(page: MessagePort): Promise<boolean> {
  return new Promise((resolve) => {
    page.onmessage = ({ data }) => resolve(data);
  });
}

/** A page that was just left, by a reload for instance, is listed for a moment longer. */
async function becomesAlone(): Promise<boolean> {
  for (let look = 1; ; look++) {
    const all = await worker.clients.matchAll({ type: "window", includeUncontrolled: true });
    if (all.filter(({ url }) => url.startsWith(scope)).length <= 1) return true;
    if (look === LOOKS) return false;
    await pause(LOOK_MS);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function typeOf({ headers }: Response): string {
  return headers.get("content-type") ?? "application/octet-stream";
}
