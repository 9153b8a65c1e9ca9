import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { type DownloadOptions, downloadFile, type GrowingFile } from "./download";
import type { HubFile } from "./repository";

const CONTENT = Uint8Array.from({ length: 1000 }, (_, index) => (index * 37) % 251);
const FILE: HubFile = {
  name: "model.safetensors",
  bytes: CONTENT.length,
  sha256: createHash("sha256").update(CONTENT).digest("hex"),
};

const REPOSITORY = { id: "owner/name", revision: "main", commit: "0".repeat(40), files: [FILE] };

/** A file in memory. */
class MemoryFile implements GrowingFile {
  bytes: Uint8Array<ArrayBuffer>;
  constructor(start: Uint8Array = new Uint8Array()) {
    this.bytes = Uint8Array.from(start);
  }
  getSize = () => this.bytes.length;
  read(into: Uint8Array, { at }: { at: number }) {
    const part = this.bytes.subarray(at, at + into.length);
    into.set(part);
    return part.length;
  }
  write(from: Uint8Array, { at }: { at: number }) {
    expect(at, "bytes are appended").toBe(this.bytes.length);
    this.bytes = Uint8Array.from([...this.bytes, ...from]);
    return from.length;
  }
  truncate(size: number) {
    this.bytes = this.bytes.slice(0, size);
  }
  flush() {}
}

interface ServerOptions {
  readonly content?: Uint8Array<ArrayBuffer>;
  readonly hasRanges?: boolean;
  /** Bytes that a response sends before it breaks; undefined: all. */
  readonly cutAt?: (request: number) => number | undefined;
  readonly status?: (request: number) => number | undefined;
  readonly isSilent?: (request: number) => boolean;
  /** Whether a request gets no response at all. */
  readonly isIgnored?: (request: number) => boolean;
}

function serverOf(options: ServerOptions = {}) {
  const { content = CONTENT, hasRanges = true } = options;
  const ranges: string[] = [];
  const fetchUrl = async (_: unknown, init?: RequestInit) => {
    const range = new Headers(init?.headers).get("range") ?? "";
    const request = ranges.push(range);
    if (options.isIgnored?.(request)) {
      return new Promise<Response>((_, reject) => {
        init?.signal?.addEventListener("abort", () => reject(init.signal?.reason));
      });
    }
    const status = options.status?.(request);
    if (status !== undefined) return new Response("", { status });
    const [start, last] = range.match(/\d+/g)!.map(Number) as [number, number];
    const bytes = hasRanges ? content.slice(start, last + 1) : content;
    const cut = options.cutAt?.(request);
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        if (options.isSilent?.(request)) return;
        controller.enqueue(bytes.slice(0, cut));
        if (cut === undefined) controller.close();
        else controller.error(new TypeError("network error"));
      },
    });
    return new Response(body, { status: hasRanges ? 206 : 200 });
  };
  return { ranges, fetch: fetchUrl as typeof fetch };
}

function download(server: ReturnType<typeof serverOf>, target: GrowingFile, file = FILE) {
  const options: DownloadOptions = {
    ...{
      endpoint: "https://hub.test",
      fetch: server.fetch,
      pieceBytes: 128,
      silenceMs: 50,
      retryMs: 1,
    },
  };
  return downloadFile(REPOSITORY, file, target, options);
}

describe("a download", () => {
  it("writes ranges in order, each requested once", async () => {
    const target = new MemoryFile();
    const server = serverOf();
    await download(server, target);
    expect(target.bytes).toEqual(CONTENT);
    expect(server.ranges).toEqual(
      Array.from({ length: 8 }, (_, index) => {
        return `bytes=${index * 128}-${Math.min(index * 128 + 127, 999)}`;
      }),
    );
  });

  it("continues from what is stored, after a stop at any byte", async () => {
    for (const stored of [0, 1, 127, 128, 500, 999, 1000]) {
      const target = new MemoryFile(CONTENT.subarray(0, stored));
      const server = serverOf();
      await download(server, target);
      expect(target.bytes).toEqual(CONTENT);
      expect(server.ranges[0]).toBe(
        stored === 1000 ? undefined : `bytes=${stored}-${Math.min(stored + 127, 999)}`,
      );
    }
  });

  it("requests a broken range again, and gives up; what has arrived stays", async () => {
    const target = new MemoryFile();
    await download(serverOf({ cutAt: (request) => (request === 3 ? 17 : undefined) }), target);
    expect(target.bytes).toEqual(CONTENT);

    const half = new MemoryFile();
    const broken = serverOf({ cutAt: (request) => (request > 2 ? 5 : undefined) });
    await expect(download(broken, half)).rejects.toMatchObject({ code: "network" });
    expect(half.bytes).toEqual(CONTENT.subarray(0, 256));
    await download(serverOf(), half);
    expect(half.bytes).toEqual(CONTENT);
  });

  it("takes the whole file from a server without ranges", async () => {
    const target = new MemoryFile(CONTENT.subarray(0, 300));
    const server = serverOf({ hasRanges: false });
    await download(server, target);
    expect(target.bytes).toEqual(CONTENT);
    expect(server.ranges).toHaveLength(1);
  });

  it("treats silence as a broken connection", async () => {
    const target = new MemoryFile();
    await download(serverOf({ isSilent: (request) => request === 1 }), target);
    expect(target.bytes).toEqual(CONTENT);
    await expect(download(serverOf({ isSilent: () => true }), new MemoryFile())).rejects.toThrow(
      "The connection broke while model.safetensors was downloaded; what has arrived stays.",
    );
  });

  it("treats a request without a response as a broken connection", async () => {
    const target = new MemoryFile();
    await download(serverOf({ isIgnored: (request) => request === 1 }), target);
    expect(target.bytes).toEqual(CONTENT);
    const ignored = download(serverOf({ isIgnored: () => true }), new MemoryFile());
    await expect(ignored).rejects.toMatchObject({ code: "network" });
  });

  it("empties a file that is not the promised one", async () => {
    const content = CONTENT.slice();
    content[700]! ^= 1;
    const target = new MemoryFile();
    await expect(download(serverOf({ content }), target)).rejects.toThrow(/SHA-256/);
    expect(target.getSize()).toBe(0);

    const damaged = new MemoryFile(content.subarray(0, 800));
    await expect(download(serverOf(), damaged)).rejects.toMatchObject({ code: "damaged" });
    expect(damaged.getSize()).toBe(0);
  });

  it("names a Git LFS pointer", async () => {
    const content = new TextEncoder().encode("version https://git-lfs.github.com/spec/v1\n");
    const file = { name: "model.safetensors", bytes: content.length };
    await expect(download(serverOf({ content }), new MemoryFile(), file)).rejects.toThrow(
      "The server sends a Git LFS pointer instead of model.safetensors.",
    );
  });

  it.each([
    [503, 3, /HTTP 503/],
    [404, 1, "The model owner/name has no file model.safetensors."],
    [403, 1, /^Accept the terms of owner\/name/],
  ])("answers HTTP %i after %i requests with a sentence", async (status, requests, sentence) => {
    const server = serverOf({ status: () => status });
    await expect(download(server, new MemoryFile())).rejects.toThrow(sentence);
    expect(server.ranges).toHaveLength(requests);
  });
});
