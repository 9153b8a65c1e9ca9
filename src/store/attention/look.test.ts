import { expect, test, vi } from "vitest";
import { createStore } from "zustand/vanilla";
import type { ChatState } from "../chat/chat";
import { emptyConversation } from "../conversation/conversation";
import { MAX_HIDDEN } from "../conversation/occlusion";
import { createLook } from "./look";

function setUp() {
  const store = createStore<ChatState>(() => ({
    conversation: emptyConversation("c", 0),
    running: undefined,
    shown: undefined,
    left: undefined,
  }));
  return { chat: store, look: createLook({ store }) };
}

test("a word rests until it is left, and tells of it once", () => {
  const { look } = setUp();
  const listener = vi.fn();
  look.store.subscribe(listener);
  look.rest({ attempt: "a", word: 1 });
  look.rest({ attempt: "a", word: 1 });
  expect(listener).toHaveBeenCalledTimes(1);
  expect(look.store.getState().word).toEqual({ attempt: "a", word: 1 });
  look.leave();
  look.leave();
  expect(listener).toHaveBeenCalledTimes(2);
  expect(look.store.getState().word).toBeUndefined();
});

test("patches are pinned and let go, the oldest first where there are too many", () => {
  const { look } = setUp();
  for (let position = 0; position <= MAX_HIDDEN; position++) look.togglePin(position);
  const { pinned } = look.store.getState();
  expect(pinned).toHaveLength(MAX_HIDDEN);
  expect([pinned[0], pinned.at(-1)]).toEqual([1, MAX_HIDDEN]);
  look.togglePin(3);
  expect(look.store.getState().pinned).not.toContain(3);
  look.unpin();
  expect(look.store.getState().pinned).toEqual([]);
});

test("another conversation or another picture is looked at anew, another answer is not", () => {
  const { chat, look } = setUp();
  look.rest({ attempt: "a", word: 1 });
  look.togglePin(7);
  const { conversation } = chat.getState();
  chat.setState({ conversation: { ...conversation, exchanges: [] } });
  expect(look.store.getState().pinned).toEqual([7]);
  chat.setState({ conversation: { ...conversation, pictures: [] } });
  expect(look.store.getState()).toEqual({ word: undefined, pinned: [] });
  look.togglePin(7);
  chat.setState({ conversation: emptyConversation("d", 0) });
  expect(look.store.getState().pinned).toEqual([]);
});
