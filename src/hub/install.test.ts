import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { HubError } from "./hubError";
import { install } from "./install";
import { listStored, modelsFolder, storedFiles } from "./storedModels";

const ADDRESS = { id: "owner/name", revision: "main" };
const commitOf = (letter: string) => letter.repeat(40);
const OLD = { commit: commitOf("a"), files: filesOf(1) };
const NEW = { commit: commitOf("b"), files: filesOf(2) };

type Files = Readonly<Record<string, Uint8Array<ArrayBuffer>>>;

function filesOf(seed: number): Files {
  const weights = Uint8Array.from({ length: 5000 }, (_, i) => (i * 31 + seed) % 251);
  const config = new TextEncoder().encode(`{"seed": ${seed}}`);
  return { "config.json": config, "model.safetensors": weights, "tokenizer.json": config };
}

/** The origin private file system, as far as downloads use it, with a number of bytes that it takes. */
class Folder {
  readonly kind = "directory";
  readonly children = new Map<string, Folder | StoredFile>();
  readonly disk: { room: number };
  constructor(disk: { room: number }) {
    this.disk = disk;
  }
  async getDirectoryHandle(name: string, options: { create?: boolean } = {}) {
    if (!this.children.has(name) && !options.create) throw new DOMException("", "NotFoundError");
    if (!this.children.has(name)) this.children.set(name, new Folder(this.disk));
    return this.children.get(name) as Folder;
  }
  async getFileHandle(name: string) {
    if (!this.children.has(name)) this.children.set(name, new StoredFile(this.disk));
    return this.children.get(name) as StoredFile;
  }
  async *entries() {
    yield* this.children.entries();
  }
}

class StoredFile {
  readonly kind = "file";
  bytes = new Uint8Array();
  readonly disk: { room: number; short?: boolean };
  constructor(disk: { room: number }) {
    this.disk = disk;
  }
  getFile = async () => new Blob([this.bytes]);
  createSyncAccessHandle = async () => ({
    getSize: () => this.bytes.length,
    read: (into: Uint8Array, { at }: { at: number }) => {
      const part = this.bytes.subarray(at, at + into.length);
      into.set(part);
      return part.length;
    },
    write: (from: Uint8Array, { at }: { at: number }) => {
      if (from.length > this.disk.room) {
        if (!this.disk.short) throw new DOMException("full", "QuotaExceededError");
        return 0;
      }
      this.disk.room -= from.length;
      this.bytes = Uint8Array.from([...this.bytes.subarray(0, at), ...from]);
      return from.length;
    },
    truncate: (size: number) => {
      this.disk.room += this.bytes.length - size;
      this.bytes = this.bytes.slice(0, size);
    },
    flush: () => {},
    close: () => {},
  });
}

/** A Hub whose branch `main` is at one commit; earlier ones stay. */
function hubAt(head: () => typeof OLD) {
  const fetchUrl = async (url: URL | string, init?: RequestInit) => {
    const { pathname } = new URL(url);
    const commit = /[ab]{40}/.exec(pathname)?.[0];
    const version = commit === undefined ? head() : commit === OLD.commit ? OLD : NEW;
    if (pathname.startsWith("/api/")) {
      const siblings = Object.entries(version.files).map(([rfilename, bytes]) => ({
        ...{ rfilename, size: bytes.length },
        ...(rfilename.endsWith(".safetensors")
          ? {
              lfs: { size: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") },
            }
          : {}),
      }));
      return Response.json({ sha: version.commit, siblings });
    }
    const bytes = version.files[pathname.split("/").at(-1) ?? ""] as Uint8Array<ArrayBuffer>;
    const [start, last] = new Headers(init?.headers).get("range")!.match(/\d+/g)!.map(Number);
    return new Response(bytes.slice(start, last! + 1), { status: 206 });
  };
  return {
    endpoint: "https://hub.test",
    fetch: fetchUrl as typeof fetch,
    pieceBytes: 512,
    retryMs: 1,
  };
}

let disk: { room: number; short?: boolean; quota?: number };

beforeEach(() => {
  disk = { room: 1e6 };
  const root = new Folder(disk);
  const storage = {
    getDirectory: async () => root,
    estimate: async () => ({ quota: disk.quota ?? 1e9, usage: 0 }),
  };
  vi.stubGlobal("navigator", { storage, locks: serialLocks() });
});
afterEach(() => vi.unstubAllGlobals());

/** Web Locks: one task at a time for each name. */
function serialLocks() {
  const last = new Map<string, Promise<unknown>>();
  return {
    request(name: string, _: object, task: () => Promise<unknown>) {
      const own = (last.get(name) ?? Promise.resolve()).then(task, task);
      last.set(name, own);
      return own;
    },
  };
}

/** What a page would offer to use. */
async function usable() {
  const kept = await listStored(await modelsFolder());
  return kept.filter(({ isComplete }) => isComplete).map(({ commit }) => commit);
}

async function stored(key: string): Promise<Files> {
  const files = await storedFiles(await modelsFolder(), key);
  const read = async ([name, file]: [string, Blob]) =>
    [name, new Uint8Array(await file.arrayBuffer())] as const;
  return Object.fromEntries(await Promise.all([...files].map(read)));
}

describe("a full storage", () => {
  it("is told before the first byte, with both numbers", async () => {
    disk.quota = 64e6 + 3000;
    const error = await install(
      ADDRESS,
      hubAt(() => OLD),
    ).catch((each: unknown) => each);
    expect(error).toBeInstanceOf(HubError);
    expect(error).toMatchObject({ code: "noSpace" });
    expect((error as Error).message).toMatch(/needs 0 MB of storage; the browser gives 0 MB/);
    expect(await listStored(await modelsFolder())).toEqual([]);
  });

  it.each([false, true])(
    "in the middle of a file leaves a model that nothing uses, and that continues (short writes: %s)",
    async (short) => {
      Object.assign(disk, { room: 2000, short });
      const hub = hubAt(() => OLD);
      await expect(install(ADDRESS, hub)).rejects.toMatchObject({ code: "noSpace" });
      expect(await usable()).toEqual([]);
      const key = `owner--name@${OLD.commit}`;
      await expect(storedFiles(await modelsFolder(), key)).rejects.toMatchObject({
        code: "incomplete",
      });
      disk.room = 1e6;
      const kept = await install(ADDRESS, hub);
      expect(kept).toMatchObject({ key, isComplete: true });
      expect(await stored(key)).toEqual(OLD.files);
    },
  );
});

it("is downloaded again where the browser has lost a part of it", async () => {
  const hub = hubAt(() => OLD);
  const { key } = await install(ADDRESS, hub);
  const model = await (await modelsFolder()).getDirectoryHandle(key);
  const weights = await (await model.getFileHandle("model.safetensors")).createSyncAccessHandle();
  weights.truncate(700);
  expect(await usable()).toEqual([]);
  await install(ADDRESS, hub);
  expect(await usable()).toEqual([OLD.commit]);
  expect(await stored(key)).toEqual(OLD.files);
});

it("is downloaded once by two tabs that begin at the same time", async () => {
  const hub = hubAt(() => OLD);
  const asked: string[] = [];
  const counted = (async (url: string, init?: RequestInit) => {
    const isFile = !new URL(url).pathname.startsWith("/api/");
    if (isFile) asked.push(`${url} ${new Headers(init?.headers).get("range")}`);
    return hub.fetch(url, init);
  }) as typeof fetch;
  const tabs = [1, 2].map(() => install(ADDRESS, { ...hub, fetch: counted }));
  const [first, second] = await Promise.all(tabs);
  expect(first).toEqual(second);
  expect(asked.length).toBeGreaterThan(5);
  expect(new Set(asked).size).toBe(asked.length);
  expect(await stored(first!.key)).toEqual(OLD.files);
});

describe("a branch that moves", () => {
  it("during a download leaves the stopped one alone, and never mixes two commits", async () => {
    let head = OLD;
    disk.room = 2000;
    await expect(
      install(
        ADDRESS,
        hubAt(() => head),
      ),
    ).rejects.toMatchObject({ code: "noSpace" });
    disk.room = 1e6;
    head = NEW;
    const kept = await install(
      ADDRESS,
      hubAt(() => head),
    );
    expect(kept.commit).toBe(NEW.commit);
    expect(await usable()).toEqual([NEW.commit]);
    expect(await stored(kept.key)).toEqual(NEW.files);
    // What was looked up before is a commit: it continues as that.
    const older = await install(
      { ...ADDRESS, revision: OLD.commit },
      hubAt(() => head),
    );
    expect(await stored(older.key)).toEqual(OLD.files);
    expect((await usable()).toSorted()).toEqual([OLD.commit, NEW.commit]);
  });

  it("after a download keeps what was chosen", async () => {
    await install(
      ADDRESS,
      hubAt(() => OLD),
    );
    expect(await stored(`owner--name@${OLD.commit}`)).toEqual(OLD.files);
    await install(
      ADDRESS,
      hubAt(() => NEW),
    );
    expect(await stored(`owner--name@${OLD.commit}`)).toEqual(OLD.files);
  });
});
