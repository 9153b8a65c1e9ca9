import { afterEach, describe, expect, test, vi } from "vitest";
import { emptyConversation } from "../conversation/conversation";
import { createArchive } from "./archive";

afterEach(() => void vi.unstubAllGlobals());

describe("a browser whose storage never answers", () => {
  test("keeps nothing, says so after a while, and nobody waits for it again", async () => {
    vi.stubGlobal("indexedDB", { open: () => new EventTarget() });
    const archive = createArchive(() => 0, 20);
    expect(archive.store.getState().failure).toBeUndefined();
    expect(await archive.newest()).toBeUndefined();
    expect(archive.store.getState()).toMatchObject({
      isStoring: false,
      failure: expect.stringMatching(/^This browser’s storage does not answer/),
    });
    await archive.save(emptyConversation("c", 0));
    expect(await archive.record("c")).toBeUndefined();
    expect(archive.store.getState().failure).toMatch(/does not answer/);
  });

  test("is not confused with one that has no storage", async () => {
    vi.stubGlobal("indexedDB", undefined);
    const archive = createArchive(() => 0, 20);
    expect(await archive.newest()).toBeUndefined();
    expect(archive.store.getState()).toEqual({ entries: [], isStoring: false, failure: undefined });
  });
});
