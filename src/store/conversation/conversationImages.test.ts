import { describe, expect, it } from "vitest";
import {
  type ConversationImage,
  type Exchange,
  emptyConversation,
  withExchange,
} from "./conversation";
import {
  givesWay,
  newestImages,
  viewerImage,
  waitingImages,
  withImages,
  withoutImage,
} from "./conversationImages";

const image = (id: string, sampleId?: string): ConversationImage => ({
  ...{ id, title: id, alt: id, blob: new Blob([id]), url: "", width: 1, height: 1 },
  ...(sampleId === undefined ? {} : { sampleId }),
});
const asked = (id: string, ...images: readonly string[]): Exchange => ({
  ...{ id, images, question: `${id}?`, attempts: [] },
});
const ids = (images: readonly ConversationImage[]) => images.map(({ id }) => id);

const empty = emptyConversation("c", 0);
const two = withImages(empty, [image("a"), image("b")]);
const running = withImages(withExchange(two, asked("q", "a", "b")), [image("d"), image("e")]);

describe("images of a conversation", () => {
  it("wait until a question was asked about them", () => {
    expect(ids(waitingImages(two))).toEqual(["a", "b"]);
    expect(ids(waitingImages(running))).toEqual(["d", "e"]);
    expect(ids(waitingImages(withExchange(running, asked("r", "d", "e"))))).toEqual([]);
  });

  it("stand in the viewer from the first of the newest on, unless another is chosen", () => {
    expect(viewerImage(two, undefined)?.id).toBe("a");
    expect(viewerImage(running, undefined)?.id).toBe("d");
    expect(viewerImage(running, "b")?.id).toBe("b");
    expect(viewerImage(running, "of another conversation")?.id).toBe("d");
    expect(viewerImage(empty, "a")).toBeUndefined();
  });

  it("are newest together: those of the last question that brought any", () => {
    const later = withExchange(withExchange(running, asked("r", "d", "e")), asked("s"));
    expect(ids(newestImages(later))).toEqual(["d", "e"]);
  });

  it("are taken back only while they wait", () => {
    expect(ids(withoutImage(running, "d").images)).toEqual(["a", "b", "e"]);
    expect(withoutImage(running, "a")).toBe(running);
  });

  it("give way where only samples stand there and nothing was asked", () => {
    const sample = withImages(empty, [image("a", "receipt")]);
    expect([givesWay(empty), givesWay(sample), givesWay(two)]).toEqual([true, true, false]);
    expect(givesWay(withExchange(sample, asked("q", "a")))).toBe(false);
  });
});
