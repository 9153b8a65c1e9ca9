import { ModelError } from "../modelError";
import { type FetchFile, fileUrl } from "./filesFetch";
import { fetchLive, type LiveResponse } from "./liveFetch";

export interface ReadOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called with the number of bytes received since the last call. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
}

/** Reads byte ranges of a model's files: over HTTP in the app, from disk in tests. */
export interface ByteSource {
  /** Bytes of a file, or undefined if it does not exist. */
  size(file: string, options?: ReadOptions): Promise<number | undefined>;
  /** Exactly the bytes start … end. @throws ModelError */
  read(
    file: string,
    start: number,
    end: number,
    options?: ReadOptions,
  ): Promise<Uint8Array<ArrayBuffer>>;
}

const ATTEMPTS = 3;
const RETRY_MS = 400;

/**
 * Reads files below a URL with HTTP range requests. A broken connection is retried from the start
 * of the range. If a server ignores ranges and sends the whole file, the file is cached.
 */
export function httpSource(baseUrl: string, fetchFile: FetchFile = fetch): ByteSource {
  const whole = new Map<string, Uint8Array<ArrayBuffer>>();

  function request(file: string, range: string, options: ReadOptions): Promise<LiveResponse> {
    const init = { headers: { Range: range }, signal: options.signal ?? null };
    return fetchLive(file, fileUrl(file, baseUrl), init, fetchFile);
  }

  return {
    async size(file, options = {}) {
      const kept = whole.get(file);
      if (kept) return kept.length;
      return persist(file, options, async () => {
        const live = await request(file, "bytes=0-0", options);
        const { response } = live;
        if (response.status === 404) return undefined;
        expectOk(file, response);
        const total = response.headers.get("content-range")?.split("/")[1];
        if (response.status === 206 && total !== undefined && total !== "*") {
          await response.arrayBuffer();
          return Number(total);
        }
        const bytes = await drain(live, {});
        whole.set(file, bytes);
        return bytes.length;
      });
    },

    async read(file, start, end, options = {}) {
      const kept = whole.get(file);
      if (kept) return cut(file, kept, start, end);
      return persist(file, options, async () => {
        const live = await request(file, `bytes=${start}-${end - 1}`, options);
        const { response } = live;
        if (response.status === 404) {
          throw new ModelError("missingFile", `The model directory has no file ${file}.`);
        }
        expectOk(file, response);
        if (response.status === 206) {
          return cut(file, await drainInto(live, end - start, options), 0, end - start);
        }
        const bytes = await drain(live, options);
        whole.set(file, bytes);
        return cut(file, bytes, start, end);
      });
    },
  };
}

async function persist<T>(file: string, options: ReadOptions, task: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await task();
    } catch (cause) {
      if (cause instanceof ModelError || options.signal?.aborted) throw cause;
      if (attempt === ATTEMPTS) {
        const message = `The connection broke while ${file} was being read.`;
        throw new ModelError("network", message, { cause });
      }
      await new Promise((done) => setTimeout(done, attempt * RETRY_MS));
    }
  }
}

function expectOk(file: string, response: Response): void {
  if (response.ok) return;
  if (response.status === 416) {
    throw new ModelError("badModel", `The model's file ${file} is truncated.`);
  }
  const message = `The model's file ${file} could not be read (HTTP ${response.status}).`;
  throw new ModelError("network", message);
}

/** The first `length` bytes, or fewer if the response ends before, in one array. */
async function drainInto(
  live: LiveResponse,
  length: number,
  { onBytes }: ReadOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  let at = 0;
  for await (const part of live.chunks()) {
    onBytes?.(part.length);
    bytes.set(part.subarray(0, length - at), at);
    at = Math.min(length, at + part.length);
  }
  return bytes.subarray(0, at);
}

async function drain(
  live: LiveResponse,
  { onBytes }: ReadOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for await (const part of live.chunks()) {
    onBytes?.(part.length);
    parts.push(part);
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

/** @throws ModelError if the file ends before `end`. */
export function cut(
  file: string,
  bytes: Uint8Array<ArrayBuffer>,
  start: number,
  end: number,
): Uint8Array<ArrayBuffer> {
  if (bytes.length < end) {
    const message = `The model's file ${file} is truncated: ${bytes.length} of ${end} bytes.`;
    throw new ModelError("badModel", message);
  }
  return bytes.subarray(start, end);
}
