import { describe, expect, test, vi } from "vitest";
import { createStore } from "zustand/vanilla";
import { POLICIES } from "@/compression/registry";
import { greedy } from "@/protocol/defaults";
import type { Engine } from "@/protocol/engine";
import type { ModelInfo } from "@/protocol/model";
import { NO_CACHE_FILES, result } from "../app/testing";
import { createChat } from "../chat/chat";
import { createStoredCaches } from "../chat/storedCaches";
import {
  type ChatConversation,
  type ConversationImage,
  type Exchange,
  emptyConversation,
  withExchange,
} from "../conversation/conversation";
import { createCharts } from "../engine/charts";
import { createLoad } from "../engine/load";
import type { Archive, ArchiveState } from "./archive";
import { exportJson } from "./exportJson";
import { createLibrary, type LibraryOptions } from "./library";
import { createOwnership } from "./ownership";
import { type ConversationRecord, entryOf, toRecord } from "./records";
import { createUndrawn } from "./undrawn";

const settings = { policy: "full", retention: 1, scope: "visual", options: {} } as const;
const imageOf = (id: string): ConversationImage => {
  return { id, title: id, alt: id, blob: new Blob([id]), url: "", width: 1, height: 1 };
};
const answered = (id: string, images: readonly string[], answer: string): Exchange => ({
  id,
  images,
  question: `question ${id}`,
  attempts: [{ id: `a${id}`, settings, run: { phase: "done", result: result({ answer }) } }],
});
const conversation = [
  answered("1", ["p"], "one"),
  answered("2", ["q"], "two"),
  answered("3", ["r"], "three"),
].reduce(withExchange, {
  ...emptyConversation("c", 0),
  images: ["p", "q", "r", "new"].map(imageOf),
} as ChatConversation);

/** An archive in memory. */
function memoryArchive(): Archive & { readonly kept: Map<string, ConversationRecord> } {
  const kept = new Map<string, ConversationRecord>();
  const store = createStore<ArchiveState>(() => ({
    entries: [],
    isStoring: true,
    failure: undefined,
  }));
  const put = async (record: ConversationRecord) => {
    kept.set(record.id, record);
    store.setState({ entries: [...kept.values()].map((record) => entryOf(record)) });
  };
  return {
    kept,
    store,
    put,
    save: (each) => put(toRecord(each, 1)),
    newest: async () => store.getState().entries[0],
    record: async (id) => kept.get(id),
    rename: async () => undefined,
    remove: async (id) => void kept.delete(id),
  };
}

function setUp(given: Partial<LibraryOptions> = {}, engine = new Promise<Engine>(() => undefined)) {
  const archive = memoryArchive();
  let ids = 0;
  const newId = () => `id${ids++}`;
  const caches = createStoredCaches(NO_CACHE_FILES);
  const load = createLoad(
    () => engine,
    { baseUrl: "m/" },
    () => 0,
  );
  const chat = createChat({
    load,
    charts: createCharts(),
    sampling: () => greedy(8),
    wantsReference: () => false,
    newId,
    now: () => 0,
    hidePatches: vi.fn(),
    caches,
  });
  chat.open(conversation);
  const undrawn = createUndrawn({ storage: undefined, afterDrawing: (call) => call() });
  const ownership = createOwnership(undefined);
  const library = createLibrary({
    ...{ archive, chat, policies: POLICIES, ownership, undrawn, newId, now: () => 0 },
    persist: async () => undefined,
    caches,
    ...given,
  });
  return { archive, load, chat, library, current: () => chat.store.getState().conversation };
}

test("an edited question goes on from its place; what it replaced is kept by itself", async () => {
  const { archive, library, current } = setUp();
  library.edit("2", "another", [settings]);
  const after = current();
  expect(after.id).toBe("c");
  expect(after.exchanges.map(({ question }) => question)).toEqual(["question 1", "another"]);
  expect(after.exchanges[1]).toMatchObject({
    images: ["q"],
    attempts: [{ settings, run: { phase: "queued" } }],
  });
  // The third question's image left with it; the one that waits for its question stays.
  expect(after.images.map(({ id }) => id)).toEqual(["p", "q", "new"]);
  const branch = [...archive.kept.values()].find(({ id }) => id !== "c")!;
  expect(branch.name).toBe("question 1 (before edit)");
  expect(branch.exchanges).toEqual(toRecord(conversation, 1).exchanges);
  expect(branch.pictures).toHaveLength(4);
  expect(library.store.getState().edited).toEqual({
    exchangeId: after.exchanges[1]!.id,
    title: branch.name,
  });
});

test("an edited question may be asked in lanes", () => {
  const { library, current } = setUp();
  library.edit("3", "another", [settings, { ...settings, policy: "streaming" }]);
  const lanes = current().exchanges[2]!.attempts;
  expect(lanes.map(({ settings: { policy } }) => policy)).toEqual(["full", "streaming"]);
  expect(lanes[0]!.comparison).toBeDefined();
  expect(lanes[1]!.comparison).toBe(lanes[0]!.comparison);
});

test("a question without an answer is edited in place, and nothing is kept of it", () => {
  const { archive, chat, library, current } = setUp();
  chat.open(emptyConversation("d", 0));
  chat.ask("first", settings);
  library.edit(current().exchanges[0]!.id, "second", [settings]);
  expect(current().exchanges.map(({ question }) => question)).toEqual(["second"]);
  expect([...archive.kept.keys()]).toEqual(["d"]);
  expect(library.store.getState().edited).toBeUndefined();
});

test("what was deleted is brought back as it was", async () => {
  const { archive, library, current } = setUp();
  const record = toRecord(conversation, 7);
  await archive.put(record);
  await library.remove("c");
  expect(current().id).not.toBe("c");
  expect(archive.kept.has("c")).toBe(false);
  expect(library.store.getState().removed?.title).toBe("question 1");
  await library.undoRemove();
  expect(archive.kept.get("c")).toEqual(record);
  expect(library.store.getState().removed).toBeUndefined();
});

test("a conversation of an earlier version is shown with the options' present names", async () => {
  const { archive, chat, library, current } = setUp();
  const options = { sinks: 2, reading: "local" };
  const old = withExchange(emptyConversation("old", 0), {
    id: "1",
    images: [],
    question: "What?",
    attempts: [
      {
        id: "a",
        settings: { policy: "streaming", retention: 0.5, scope: "visual", options },
        run: { phase: "failed", text: "", failure: { code: "internal", message: "No." } },
      },
    ],
  });
  await archive.put(toRecord(old, 1));
  await library.open("old");
  const { settings: shown } = current().exchanges[0]!.attempts[0]!;
  expect(shown.options).toEqual({ sinks: 2, variant: "local" });
  // Opening is no change: what is kept stays as it was.
  expect(archive.kept.get("old")).toEqual(toRecord(old, 1));
  chat.open(emptyConversation("other", 0));
  const json = await exportJson(toRecord(old, 1));
  expect(await library.take(new File([json], "old.json"))).toBeUndefined();
  const [imported] = current().exchanges;
  expect(imported!.attempts[0]!.settings.options).toEqual({ sinks: 2, variant: "local" });
});

describe("an answer that is not over", () => {
  const engine = {
    load: async () => ({ adapter: {} }) as ModelInfo,
    ask: () => new Promise<never>(() => undefined),
    cancel: async () => undefined,
    clear: async () => undefined,
    subscribe: () => () => undefined,
  } satisfies Partial<Engine>;

  async function asking() {
    const page = setUp({}, Promise.resolve(engine as Partial<Engine> as Engine));
    await page.load.start();
    page.chat.ask("And?", settings);
    await vi.waitFor(() => expect(page.chat.store.getState().running).toBeDefined());
    const kept = () => page.archive.kept.get("c")?.exchanges.at(-1)?.attempts[0]?.run;
    return { ...page, kept };
  }

  test("is kept as far as it came when its conversation is left", async () => {
    const { chat, library, kept } = await asking();
    chat.record({ type: "token", index: 0, id: 1, text: "So far", ms: 1 });
    library.begin();
    expect(kept()).toMatchObject({ phase: "failed", text: "So far" });
  });

  test("is kept whole once it is complete, though its reference is not", async () => {
    const { chat, kept } = await asking();
    const answer = result({ answer: "All.", retention: 0.1 });
    chat.record({ type: "answered", result: answer });
    expect(kept()).toMatchObject({ phase: "done", result: { answer: "All." } });
  });
});

describe("what was kept", () => {
  const older: ChatConversation = { ...conversation, id: "older", images: [imageOf("p")] };

  test("comes back where it was left", async () => {
    const { archive, library, current } = setUp();
    await archive.put(toRecord({ ...older, exchanges: [] }, 1));
    expect(await library.restore(undefined, () => true)).toBe(true);
    expect(current().id).toBe("older");
    expect(library.store.getState().notice).toBeUndefined();
  });

  test("does not come back over what was chosen while it was read, and its images get no address", async () => {
    const addresses = vi.spyOn(URL, "createObjectURL");
    const { archive, library, current } = setUp();
    await archive.put(toRecord(older, 1));
    expect(await library.restore(undefined, () => false)).toBe(false);
    expect(current().id).toBe("c");
    expect(addresses).not.toHaveBeenCalled();
    await library.open("older");
    expect(current().images[0]!.url).toBe(addresses.mock.results[0]!.value);
    addresses.mockRestore();
  });

  test("does not come back over what was chosen while its lock was waited for", async () => {
    let isWanted = true;
    const take = async (id: string) => {
      if (id === "older") isWanted = false;
      return true;
    };
    const { archive, library, current } = setUp({ ownership: { take } });
    await archive.put(toRecord(older, 1));
    expect(await library.restore(undefined, () => isWanted)).toBe(false);
    expect(current().id).toBe("c");
  });

  test("is what was asked for last, however long another takes to read", async () => {
    const { archive, library, current } = setUp();
    await archive.put(toRecord(older, 1));
    await archive.put(toRecord({ ...older, id: "slow" }, 1));
    const read = archive.record;
    vi.spyOn(archive, "record").mockImplementation(async (id) => {
      if (id === "slow") await new Promise((resolve) => setTimeout(resolve, 20));
      return read(id);
    });
    await Promise.all([library.open("slow"), library.open("older")]);
    expect(current().id).toBe("older");
  });

  test("is opened as a copy where another page writes it, and the copy is kept by itself", async () => {
    const ownership = { take: async (id: string) => id !== "older" };
    const { archive, chat, library, current } = setUp({ ownership });
    await archive.put(toRecord(older, 1));
    await library.open("older");
    expect(current().id).not.toBe("older");
    expect(current().exchanges).toHaveLength(3);
    expect(library.store.getState().notice).toMatch(
      /“question 1” is open in another tab\. This is a copy/,
    );
    chat.ask("And?", settings);
    expect(library.store.getState().notice).toBeUndefined();
    expect(archive.kept.get("older")).toEqual(toRecord(older, 1));
    const copy = archive.kept.get(current().id)!;
    expect([copy.name, copy.exchanges.length]).toEqual(["question 1 (copy)", 4]);
  });

  test("is not shown where its numbers do not fit one another; the page says why", async () => {
    const { archive, library, current } = setUp();
    const record = toRecord(older, 1);
    const tile = { firstPosition: 0, gridRows: 4096, gridColumns: 4096 };
    const box = { x: 0, y: 0, width: 1, height: 1 };
    const images = [{ image: "p", width: 1, height: 1, tiles: [{ ...tile, box }] }];
    const run = { phase: "done", result: result({ images }) } as const;
    const [exchange] = record.exchanges;
    const attempts = [{ ...exchange!.attempts[0]!, run }];
    await archive.put({ ...record, exchanges: [{ ...exchange!, attempts }] });
    expect(await library.restore(undefined, () => true)).toBe(false);
    expect(current().id).toBe("c");
    expect(library.store.getState().notice).toMatch(
      /^“question 1” cannot be shown: the patches of exchanges\[0\]\.attempts\[0\]\.result\.images are 16777216/,
    );
  });

  test("is not opened by itself where it did not finish drawing; by hand it is", async () => {
    const hung = new Set(["older"]);
    const undrawn = {
      has: (id: string) => hung.has(id),
      begin: (id: string) => void hung.delete(id),
      fail: (id: string) => void hung.add(id),
    };
    const { archive, library, current } = setUp({ undrawn });
    await archive.put(toRecord(older, 1));
    expect(await library.restore(undefined, () => true)).toBe(false);
    expect(library.store.getState().notice).toMatch(/^“question 1” did not finish drawing/);
    await library.open("older");
    expect(current().id).toBe("older");
    library.drawingFailed();
    expect(hung.has("older")).toBe(true);
  });
});
