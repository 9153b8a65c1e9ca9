import { describe, expect, it } from "vitest";
import { type Exchange, emptyConversation, type Picture, withExchange } from "./conversation";
import {
  givesWay,
  newestPictures,
  viewerPicture,
  waitingPictures,
  withoutPicture,
  withPictures,
} from "./conversationPictures";

const picture = (id: string, sampleId?: string): Picture => ({
  ...{ id, title: id, alt: id, blob: new Blob([id]), url: "", width: 1, height: 1 },
  ...(sampleId === undefined ? {} : { sampleId }),
});
const asked = (id: string, ...pictures: readonly string[]): Exchange => ({
  ...{ id, pictures, question: `${id}?`, attempts: [] },
});
const ids = (pictures: readonly Picture[]) => pictures.map(({ id }) => id);

const empty = emptyConversation("c", 0);
const two = withPictures(empty, [picture("a"), picture("b")]);
const running = withPictures(withExchange(two, asked("q", "a", "b")), [picture("d"), picture("e")]);

describe("pictures of a conversation", () => {
  it("wait until a question was asked about them", () => {
    expect(ids(waitingPictures(two))).toEqual(["a", "b"]);
    expect(ids(waitingPictures(running))).toEqual(["d", "e"]);
    expect(ids(waitingPictures(withExchange(running, asked("r", "d", "e"))))).toEqual([]);
  });

  it("stand in the viewer from the first of the newest on, unless another is chosen", () => {
    expect(viewerPicture(two, undefined)?.id).toBe("a");
    expect(viewerPicture(running, undefined)?.id).toBe("d");
    expect(viewerPicture(running, "b")?.id).toBe("b");
    expect(viewerPicture(running, "of another conversation")?.id).toBe("d");
    expect(viewerPicture(empty, "a")).toBeUndefined();
  });

  it("are newest together: those of the last question that brought any", () => {
    const later = withExchange(withExchange(running, asked("r", "d", "e")), asked("s"));
    expect(ids(newestPictures(later))).toEqual(["d", "e"]);
  });

  it("are taken back only while they wait", () => {
    expect(ids(withoutPicture(running, "d").pictures)).toEqual(["a", "b", "e"]);
    expect(withoutPicture(running, "a")).toBe(running);
  });

  it("give way where only samples stand there and nothing was asked", () => {
    const sample = withPictures(empty, [picture("a", "receipt")]);
    expect([givesWay(empty), givesWay(sample), givesWay(two)]).toEqual([true, true, false]);
    expect(givesWay(withExchange(sample, asked("q", "a")))).toBe(false);
  });
});
