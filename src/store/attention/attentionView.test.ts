import { expect, test, vi } from "vitest";
import { createStore } from "zustand/vanilla";
import type { ChatState } from "../chat/chatState";
import { emptyConversation } from "../conversation/conversation";
import { MAX_HIDDEN } from "../conversation/occlusion";
import { createAttentionView } from "./attentionView";

function setUp() {
  const store = createStore<ChatState>(() => ({
    conversation: emptyConversation("c", 0),
    running: undefined,
    shown: undefined,
    left: undefined,
  }));
  return { chat: store, attentionView: createAttentionView({ store }) };
}

test("a word rests until it is left, and tells of it once", () => {
  const { attentionView } = setUp();
  const listener = vi.fn();
  attentionView.store.subscribe(listener);
  attentionView.rest({ attempt: "a", word: 1 });
  attentionView.rest({ attempt: "a", word: 1 });
  expect(listener).toHaveBeenCalledTimes(1);
  expect(attentionView.store.getState().word).toEqual({ attempt: "a", word: 1 });
  attentionView.leave();
  attentionView.leave();
  expect(listener).toHaveBeenCalledTimes(2);
  expect(attentionView.store.getState().word).toBeUndefined();
});

test("patches are pinned and let go, the oldest first where there are too many", () => {
  const { attentionView } = setUp();
  for (let position = 0; position <= MAX_HIDDEN; position++) attentionView.togglePin(position);
  const { pinned } = attentionView.store.getState();
  expect(pinned).toHaveLength(MAX_HIDDEN);
  expect([pinned[0], pinned.at(-1)]).toEqual([1, MAX_HIDDEN]);
  attentionView.togglePin(3);
  expect(attentionView.store.getState().pinned).not.toContain(3);
  attentionView.unpin();
  expect(attentionView.store.getState().pinned).toEqual([]);
});

test("another conversation or another image is looked at anew, another answer is not", () => {
  const { chat, attentionView } = setUp();
  attentionView.rest({ attempt: "a", word: 1 });
  attentionView.togglePin(7);
  const { conversation } = chat.getState();
  chat.setState({ conversation: { ...conversation, exchanges: [] } });
  expect(attentionView.store.getState().pinned).toEqual([7]);
  chat.setState({ conversation: { ...conversation, images: [] } });
  expect(attentionView.store.getState()).toEqual({ word: undefined, pinned: [] });
  attentionView.togglePin(7);
  chat.setState({ conversation: emptyConversation("d", 0) });
  expect(attentionView.store.getState().pinned).toEqual([]);
});
