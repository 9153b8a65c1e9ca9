import { afterEach, describe, expect, it, vi } from "vitest";
import { createStore } from "zustand/vanilla";
import { result } from "../app/testing";
import type { Chat } from "../chat/chat";
import type { ChatState } from "../chat/chatState";
import {
  type ChatConversation,
  type ConversationImage,
  type Exchange,
  emptyConversation,
  withExchange,
} from "../conversation/conversation";
import { viewerImage, withImages, withoutImage } from "../conversation/conversationImages";
import type { Load } from "../engine/load";
import type { ImageOutcome, ImageSource } from "./readImage";
import { createViewer } from "./viewer";

/** A viewer whose files are read when the test says so. */
function setUp(contextLength = 8192) {
  const store = createStore<ChatState>(() => ({
    conversation: emptyConversation("c0", 0),
    running: undefined,
    shown: undefined,
    left: undefined,
  }));
  const open = (conversation: ChatConversation) =>
    store.setState({ conversation, shown: undefined });
  const addImages = (images: readonly ConversationImage[]) =>
    store.setState(({ conversation }) => ({ conversation: withImages(conversation, images) }));
  const removeImage = (id: string) => {
    const { conversation } = store.getState();
    store.setState({ conversation: withoutImage(conversation, id) });
  };
  const chat = { store, open, addImages, removeImage } as unknown as Chat;
  const info = { contextLength, rowsPerTile: 576 };
  const load = { store: { getState: () => ({ phase: "ready", info }) } } as unknown as Load;
  const held: { readonly source: ImageSource; readonly end: (ok: boolean) => void }[] = [];
  let ids = 0;
  const viewer = createViewer({
    chat,
    load,
    newId: () => `id${ids++}`,
    now: () => 0,
    read: (blob, source) =>
      new Promise<ImageOutcome>((resolve) => {
        const url = `blob:${source.title}`;
        const image = { alt: "", url, width: 1, height: 1, ...source, blob };
        const failure = { code: "badImage", message: `${source.title} is bad.` } as const;
        const end = (ok: boolean) => resolve(ok ? { ok, image } : { ok, failure });
        held.push({ source, end });
      }),
  });
  const titles = () => store.getState().conversation.images.map(({ title }) => title);
  const current = () =>
    viewerImage(store.getState().conversation, viewer.store.getState().imageId)?.title;
  const ask = () => {
    const { conversation } = store.getState();
    const images = conversation.images.map(({ id }) => id);
    const exchange: Exchange = { id: "q", images, question: "?", attempts: [] };
    store.setState({ conversation: withExchange(conversation, exchange) });
  };
  return { viewer, store, held, titles, current, ask, open };
}

const files = (...titles: readonly string[]) =>
  titles.map((title) => ({ title, blob: new Blob([title]) }));
const settled = () => new Promise((resolve) => setTimeout(resolve));

/** Ends reads as they come, those in `bad` badly. */
async function finish(held: ReturnType<typeof setUp>["held"], bad: readonly string[] = []) {
  for (let done = 0; done < held.length || done === 0; done++) {
    await settled();
    held[done]?.end(!bad.includes(held[done]?.source.title ?? ""));
    await settled();
  }
}

afterEach(() => vi.unstubAllGlobals());

describe("the viewer", () => {
  it("takes several images in order, and one bad file costs one sentence", async () => {
    const { viewer, held, titles, current } = setUp();
    const placed = viewer.choose(files("a", "b", "c"), "new");
    expect(viewer.store.getState().isReading).toBe(true);
    await finish(held, ["b"]);
    expect(await placed).toBe(true);
    expect(titles()).toEqual(["a", "c"]);
    expect(current()).toBe("a");
    expect(viewer.store.getState()).toMatchObject({
      isReading: false,
      failure: { message: "b is bad." },
    });
  });

  it("says what is wrong with several files, and counts the rest", async () => {
    const { viewer, held, titles } = setUp();
    void viewer.choose(files("a", "b", "c", "d", "e"), "new");
    await finish(held, ["a", "b", "c", "d", "e"]);
    expect(titles()).toEqual([]);
    expect(viewer.store.getState().failure?.message).toBe(
      "a is bad. b is bad. c is bad. 2 more could not be read either.",
    );
  });

  it("refuses more than fit before it reads any", async () => {
    const { viewer, held, store } = setUp(2000);
    expect(await viewer.choose(files("a", "b", "c"), "new")).toBe(false);
    expect(held).toEqual([]);
    expect(viewer.store.getState().failure?.message).toBe(
      "These 3 images do not fit: the model’s context of 2000 tokens has room for 2.",
    );
    expect(store.getState().conversation.id).toBe("c0");
  });

  it("adds to a conversation in the order of the choices, and shows the newest", async () => {
    const { viewer, held, titles, current, ask } = setUp();
    void viewer.choose(files("a"), "new");
    await finish(held);
    ask();
    void viewer.choose(files("b"), "add");
    void viewer.choose(files("c", "d"), "add");
    await finish(held);
    expect(titles()).toEqual(["a", "b", "c", "d"]);
    expect(current()).toBe("c");
  });

  it("puts what is added in the place of a sample that nobody asked about", async () => {
    const { viewer, store, held, titles } = setUp();
    vi.stubGlobal("fetch", async () => new Response("sample"));
    const sample = { id: "s", url: "x", title: "s", alt: "s", questions: [] };
    viewer.setSamples([sample]);
    void viewer.chooseSample("s");
    await finish(held);
    expect(titles()).toEqual(["s"]);
    const before = store.getState().conversation.id;
    void viewer.choose(files("a"), "add");
    await finish(held);
    expect(titles()).toEqual(["a"]);
    expect(store.getState().conversation.id).not.toBe(before);
  });

  it("puts all pages of a document in the viewer, each with its own words", async () => {
    const { viewer, store, held, titles } = setUp();
    vi.stubGlobal("fetch", async (url: string) => new Response(url));
    const pages = [1, 2].map((page) => ({ url: `${page}.png`, alt: `Page ${page} says` }));
    const sample = { id: "d", url: "1.png", title: "Document", alt: "", questions: [], pages };
    viewer.setSamples([sample]);
    void viewer.chooseSample("d");
    await finish(held);
    expect(titles()).toEqual(["Document, page 1 of 2", "Document, page 2 of 2"]);
    const { images } = store.getState().conversation;
    expect(images.map(({ alt, sampleId }) => [alt, sampleId])).toEqual([
      ["Page 1 says", "d"],
      ["Page 2 says", "d"],
    ]);
  });

  it("lets no slow file replace an image that was chosen after it", async () => {
    const { viewer, held, titles } = setUp();
    const slow = viewer.choose(files("slow"), "new");
    await settled();
    void viewer.choose(files("quick"), "new");
    await settled();
    held[1]!.end(true);
    await settled();
    expect(titles()).toEqual(["quick"]);
    held[0]!.end(true);
    expect(await slow).toBe(false);
    expect(titles()).toEqual(["quick"]);
  });

  it("drops what was to be added to a conversation that is left", async () => {
    const { viewer, held, titles, ask, open } = setUp();
    void viewer.choose(files("a"), "new");
    await finish(held);
    ask();
    const added = viewer.choose(files("late"), "add");
    await settled();
    open(emptyConversation("other", 0));
    expect(viewer.store.getState().isReading).toBe(false);
    held[1]!.end(true);
    expect(await added).toBe(false);
    expect(titles()).toEqual([]);
  });

  it("fetches addresses with progress, gives up when told to, and keeps sentences", async () => {
    const { viewer, held, titles } = setUp();
    vi.stubGlobal("fetch", async () => new Response("bytes"));
    const placed = viewer.chooseAddresses(["https://a.example/cat.png"], "add");
    await vi.waitFor(() => expect(held).toHaveLength(1));
    expect(viewer.store.getState().fetching).toMatchObject({ host: "a.example", loaded: 5 });
    await finish(held);
    expect(await placed).toBe(true);
    expect(titles()).toEqual(["cat.png"]);
    expect(viewer.store.getState().fetching).toBeUndefined();

    vi.stubGlobal("fetch", (_: URL, { signal }: RequestInit) => {
      return new Promise((_resolve, reject) => {
        signal?.addEventListener("abort", () => reject(signal.reason));
      });
    });
    const stopped = viewer.chooseAddresses(["https://a.example/slow.png"], "add");
    await settled();
    viewer.stopReading();
    expect(await stopped).toBe(false);
    expect(viewer.store.getState()).toMatchObject({
      isReading: false,
      fetching: undefined,
      failure: undefined,
    });

    expect(await viewer.chooseAddresses(["not an address"], "add")).toBe(false);
    expect(viewer.store.getState().failure?.message).toMatch(/is not a web address/);
  });

  it("takes back images that wait, and none that was asked about", async () => {
    const { viewer, store, held, titles, current, ask } = setUp();
    void viewer.choose(files("a"), "new");
    await finish(held);
    ask();
    void viewer.choose(files("b", "c"), "add");
    await finish(held);
    for (const { id } of store.getState().conversation.images.slice(0, 2)) viewer.remove(id);
    expect(titles()).toEqual(["a", "c"]);
    expect(current()).toBe("c");
    viewer.show(store.getState().conversation.images[0]!.id);
    expect(current()).toBe("a");
  });

  it("frees the addresses of images that are removed, or left with their conversation", async () => {
    const freed = vi.spyOn(URL, "revokeObjectURL");
    const { viewer, store, held, open } = setUp();
    void viewer.choose(files("a", "b", "c"), "new");
    await finish(held);
    const { images } = store.getState().conversation;
    viewer.remove(images[1]!.id);
    expect(freed.mock.calls.splice(0)).toEqual([["blob:b"]]);
    open(withImages(emptyConversation("next", 0), images.slice(2)));
    expect(freed.mock.calls.splice(0)).toEqual([["blob:a"]]);
    open(emptyConversation("last", 0));
    expect(freed.mock.calls).toEqual([["blob:c"]]);
    freed.mockRestore();
  });

  it("follows an answer whose patches are shown to an image that it saw", async () => {
    const { viewer, store, held, current, ask } = setUp();
    void viewer.choose(files("a", "b"), "new");
    await finish(held);
    ask();
    void viewer.choose(files("c"), "add");
    await finish(held);
    const { conversation } = store.getState();
    const [a, b] = conversation.images.map(({ id }) => id);
    const images = [a!, b!].map((image) => ({ image, width: 1, height: 1, tiles: [] }));
    const settings = { policy: "full", retention: 1, scope: "visual", options: {} } as const;
    const run = { phase: "done", result: result({ images }) } as const;
    const [exchange] = conversation.exchanges;
    const answered = { ...exchange!, attempts: [{ id: "answer", settings, run }] };
    store.setState({ conversation: { ...conversation, exchanges: [answered] } });
    expect(current()).toBe("c");
    store.setState({ shown: "answer" });
    expect(current()).toBe("a");
    viewer.show(b!);
    store.setState({ shown: undefined });
    store.setState({ shown: "answer" });
    expect(current()).toBe("b");
  });

  it("forgets a sentence about images once a question goes on without them", async () => {
    const { viewer, held, ask } = setUp();
    void viewer.choose(files("a", "b"), "new");
    await finish(held, ["b"]);
    expect(viewer.store.getState().failure).toBeDefined();
    ask();
    expect(viewer.store.getState().failure).toBeUndefined();
  });
});
