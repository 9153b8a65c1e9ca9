import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { HubError } from "./hubError";
import { type Acquire, limited } from "./limited";
import {
  chunks,
  fetchFromHub,
  fileAddress,
  type HubAccess,
  type HubFile,
  type Repository,
  refusal,
} from "./repository";

/** A file that grows: the part of `FileSystemSyncAccessHandle` that a download uses. */
export interface GrowingFile {
  getSize(): number;
  read(bytes: Uint8Array, options: { at: number }): number;
  write(bytes: Uint8Array, options: { at: number }): number;
  truncate(size: number): void;
  flush(): void;
}

declare global {
  // TypeScript declares it for workers only, and this project compiles page and workers together.
  interface FileSystemFileHandle {
    createSyncAccessHandle(): Promise<GrowingFile & { close(): void }>;
  }
}

export interface DownloadOptions extends HubAccess {
  /** Bytes of the file that are stored so far. */
  readonly onBytes?: (bytes: number) => void;
  /** Place of a request among those of other files; without it, this file's are not limited by others. */
  readonly connection?: Acquire;
  /** Bytes per request. */
  readonly pieceBytes?: number;
  /** Pause before a second attempt, in ms; twice that before a third. */
  readonly retryMs?: number;
}

const PIECE_BYTES = 8 * 2 ** 20;
const PIECES_IN_FLIGHT = 4;
const ATTEMPTS = 3;
const RETRY_MS = 400;
const LFS_POINTER = "version https://git-lfs";

/**
 * Downloads `file` into `target`, and continues where an earlier call stopped. Several ranges are in
 * flight, and are written in order, so the stored bytes are always a prefix of the file. Size and
 * SHA-256 are compared at the end; a file that differs is emptied.
 * @throws HubError; the signal's reason. All that has arrived stays
 */
export async function downloadFile(
  repository: Repository,
  file: HubFile,
  target: GrowingFile,
  options: DownloadOptions,
): Promise<void> {
  if (target.getSize() > file.bytes) target.truncate(0);
  const digest = sha256.create();
  digestStored(target, digest);
  let at = target.getSize();
  options.onBytes?.(at);
  const store = (bytes: Uint8Array) => {
    if (target.write(bytes, { at }) !== bytes.length) {
      throw new DOMException("The storage took only a part of the bytes.", "QuotaExceededError");
    }
    digest.update(bytes);
    at += bytes.length;
    options.onBytes?.(at);
  };
  for await (const bytes of pieces(repository, file, at, options)) store(bytes);
  target.flush();
  const wrong = fault(file, target, at, bytesToHex(digest.digest()));
  if (wrong) {
    target.truncate(0);
    throw new HubError("damaged", wrong);
  }
}

function digestStored(target: GrowingFile, digest: { update(bytes: Uint8Array): unknown }): void {
  const buffer = new Uint8Array(PIECE_BYTES);
  for (let at = 0; at < target.getSize(); ) {
    const count = target.read(buffer, { at });
    if (count === 0) return;
    digest.update(buffer.subarray(0, count));
    at += count;
  }
}

function fault(
  { name, bytes, sha256: expected }: HubFile,
  target: GrowingFile,
  stored: number,
  digest: string,
): string | undefined {
  const start = new Uint8Array(LFS_POINTER.length);
  target.read(start, { at: 0 });
  if (new TextDecoder().decode(start) === LFS_POINTER) {
    return `The server sends a Git LFS pointer instead of ${name}.`;
  }
  if (stored !== bytes) return `${name} has ${stored} bytes instead of ${bytes}.`;
  if (expected !== undefined && digest !== expected) {
    return `${name} arrived damaged: its SHA-256 is not the one that the Hub names.`;
  }
  return undefined;
}

/** The rest of the file from `first` on, in order. A server without ranges sends the whole file once. */
async function* pieces(
  repository: Repository,
  file: HubFile,
  first: number,
  options: DownloadOptions,
): AsyncGenerator<Uint8Array> {
  const { pieceBytes = PIECE_BYTES, connection = limited(PIECES_IN_FLIGHT) } = options;
  if (first === file.bytes) return;
  const endOf = (start: number) => Math.min(start + pieceBytes, file.bytes);
  const fetchPiece = (start: number) =>
    persist(() => fetchRange(repository, file, [start, endOf(start)], options), options);
  const fetchLater = async (start: number) => {
    const leave = await connection();
    return fetchPiece(start).finally(leave);
  };
  const leave = await connection();
  try {
    const opening = await fetchPiece(first);
    if (opening instanceof Response) return yield* wholeFile(opening, file, first, options);
    yield opening;
  } finally {
    leave();
  }
  const flying: Promise<Uint8Array | Response>[] = [];
  for (let next = endOf(first); next < file.bytes || flying.length > 0; ) {
    while (next < file.bytes && flying.length < PIECES_IN_FLIGHT) {
      const piece = fetchLater(next);
      piece.catch(() => {}); // A later piece may fail while an earlier one is awaited.
      flying.push(piece);
      next = endOf(next);
    }
    const piece = await (flying.shift() as Promise<Uint8Array | Response>);
    if (piece instanceof Response) throw broken(file.name, undefined);
    yield piece;
  }
}

/** The bytes `start` … `end`, or the response of a server that ignores ranges. */
async function fetchRange(
  repository: Repository,
  { name }: HubFile,
  [start, end]: readonly [number, number],
  options: DownloadOptions,
): Promise<Uint8Array | Response> {
  const url = fileAddress(options, repository, name);
  const response = await fetchFromHub(url, options, { Range: `bytes=${start}-${end - 1}` });
  if (response.status === 200) return response;
  if (response.status !== 206) {
    void response.body?.cancel();
    throw refusal(repository, options, response, name);
  }
  const bytes = new Uint8Array(end - start);
  let at = 0;
  for await (const chunk of chunks(response, options, (cause) => broken(name, cause))) {
    if (at + chunk.length > bytes.length) throw broken(name, undefined);
    bytes.set(chunk, at);
    at += chunk.length;
  }
  if (at < bytes.length) throw broken(name, undefined);
  return bytes;
}

async function* wholeFile(
  response: Response,
  { name }: HubFile,
  first: number,
  options: DownloadOptions,
): AsyncGenerator<Uint8Array> {
  let at = 0;
  for await (const chunk of chunks(response, options, (cause) => broken(name, cause))) {
    const known = Math.max(0, Math.min(first - at, chunk.length));
    at += chunk.length;
    if (known < chunk.length) yield chunk.subarray(known);
  }
}

async function persist<T>(
  task: () => Promise<T>,
  { signal, retryMs = RETRY_MS }: DownloadOptions,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await task();
    } catch (error) {
      signal?.throwIfAborted();
      const isFinal = error instanceof HubError && error.code !== "network";
      if (isFinal || attempt === ATTEMPTS) throw error;
      await new Promise((done) => setTimeout(done, attempt * retryMs));
    }
  }
}

function broken(name: string, cause: unknown): HubError {
  const message = `The connection broke while ${name} was downloaded; what has arrived stays.`;
  return new HubError("network", message, { cause });
}
