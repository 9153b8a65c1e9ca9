import { ModelError } from "../modelError";
import { type FetchFile, fileUrl } from "./filesFetch";
import { fetchLive, type LiveResponse } from "./liveFetch";

export interface FileProgress {
  readonly file: string;
  readonly loadedBytes: number;
  readonly totalBytes: number;
}

interface ModelFilesOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: FileProgress) => void;
  /** Default: the global one. */
  readonly fetch?: FetchFile;
}

/** Reads the small files of a model directory as a whole. Weights have their own reader. */
export class ModelFiles {
  readonly baseUrl: string;
  readonly #signal: AbortSignal | undefined;
  readonly #onProgress: ModelFilesOptions["onProgress"];
  readonly #fetch: FetchFile | undefined;
  #readBytes = 0;

  constructor(baseUrl: string, options: ModelFilesOptions = {}) {
    this.baseUrl = baseUrl.endsWith("/") ? baseUrl : `${baseUrl}/`;
    this.#signal = options.signal;
    this.#onProgress = options.onProgress;
    this.#fetch = options.fetch;
  }

  /** Bytes read so far. */
  get readBytes(): number {
    return this.#readBytes;
  }

  /** The first of `names` that exists, with its bytes. @throws ModelError naming the first. */
  async firstOf(names: readonly string[]): Promise<{ name: string; bytes: Uint8Array }> {
    for (const name of names) {
      const bytes = await this.optional(name);
      if (bytes) return { name, bytes };
    }
    throw missing(names[0] as string);
  }

  /** A file's bytes, or undefined if it does not exist. @throws ModelError */
  async optional(name: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    let live: LiveResponse;
    try {
      live = await fetchLive(name, fileUrl(name, this.baseUrl), this.#init(), this.#fetch);
    } catch (cause) {
      throw this.#failed(name, cause);
    }
    const { response } = live;
    if (response.status === 404) return undefined;
    if (!response.ok) {
      const message = `The model's file ${name} could not be read (HTTP ${response.status}).`;
      throw new ModelError("network", message);
    }
    try {
      return await this.#drain(name, live);
    } catch (cause) {
      throw this.#failed(name, cause);
    }
  }

  /** A JSON file's object. @throws ModelError */
  async json(name: string): Promise<JsonObject> {
    const object = await this.optionalJson(name);
    if (!object) throw missing(name);
    return object;
  }

  async optionalJson(name: string): Promise<JsonObject | undefined> {
    const text = await this.optionalText(name);
    if (text === undefined) return undefined;
    return parseJson(name, text);
  }

  async optionalText(name: string): Promise<string | undefined> {
    const bytes = await this.optional(name);
    return bytes && new TextDecoder().decode(bytes);
  }

  async #drain(name: string, live: LiveResponse): Promise<Uint8Array<ArrayBuffer>> {
    const { response } = live;
    const declared = Number(response.headers.get("content-length") ?? 0);
    // The declared length of a compressed transfer is the compressed one; the total is then unknown
    // until the end.
    const totalBytes = response.headers.has("content-encoding") ? 0 : declared;
    const parts: Uint8Array[] = [];
    let loadedBytes = 0;
    for await (const part of live.chunks()) {
      parts.push(part);
      loadedBytes += part.length;
      this.#readBytes += part.length;
      this.#onProgress?.({ file: name, loadedBytes, totalBytes: totalBytes || loadedBytes });
    }
    if (totalBytes > loadedBytes) {
      const cut = `${loadedBytes} of ${totalBytes} bytes`;
      throw new ModelError("badModel", `The model's file ${name} is truncated (${cut}).`);
    }
    return join(parts, loadedBytes);
  }

  #init(): RequestInit {
    return this.#signal ? { signal: this.#signal } : {};
  }

  #failed(name: string, cause: unknown): unknown {
    if (cause instanceof ModelError || this.#signal?.aborted) return cause;
    const message = `The model's file ${name} could not be read: the connection failed.`;
    return new ModelError("network", message, { cause });
  }
}

/** The object in a file's text. @throws ModelError */
export function parseJson(name: string, text: string): JsonObject {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    if (isObject) return value as JsonObject;
  } catch (cause) {
    throw new ModelError("badModel", `The model's file ${name} is not valid JSON.`, { cause });
  }
  throw new ModelError("badModel", `The model's file ${name} holds no JSON object.`);
}

/** JSON with unchecked fields; each reader validates what it uses. */
export type JsonObject = { readonly [key: string]: unknown };

/**
 * What stands in the place of a large file: a pointer that Git LFS leaves, or a page that a server
 * sends. Undefined for anything else. Eight bytes are enough.
 */
export function substituteOf(bytes: Uint8Array): string | undefined {
  const start = new TextDecoder().decode(bytes.subarray(0, 8)).toLowerCase();
  if (start === "version ") return "a Git LFS pointer";
  return start.startsWith("<html") || start.startsWith("<!doct") ? "a web page" : undefined;
}

function missing(name: string): ModelError {
  return new ModelError("missingFile", `The model directory has no file ${name}.`);
}

function join(parts: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
