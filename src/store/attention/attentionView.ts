import { createStore } from "zustand/vanilla";
import type { Chat } from "../chat/chat";
import { MAX_HIDDEN } from "../conversation/occlusion";
import type { ReadonlyStore } from "../readonlyStore";

/** A word of an answer, by its index. */
export interface RestingWord {
  readonly attempt: string;
  readonly word: number;
}

interface AttentionViewState {
  /** The word under the pointer or the keyboard focus. */
  readonly word: RestingWord | undefined;
  /** Positions of the patches that are pinned for hiding, oldest first. */
  readonly pinned: readonly number[];
}

/**
 * What the user points at. It is separate from the conversation: moving over words and patches
 * changes only this store, and the transcript does not render again.
 */
export interface AttentionView {
  readonly store: ReadonlyStore<AttentionViewState>;
  rest(word: RestingWord): void;
  leave(): void;
  /** Pins or unpins a patch; if too many are pinned, the oldest is unpinned. */
  togglePin(position: number): void;
  unpin(): void;
}

const NOTHING: AttentionViewState = { word: undefined, pinned: [] };

export function createAttentionView(chat: Pick<Chat, "store">): AttentionView {
  const store = createStore<AttentionViewState>(() => NOTHING);
  chat.store.subscribe(({ conversation: now }, { conversation: before }) => {
    if (now.id !== before.id || now.images !== before.images) store.setState(NOTHING);
  });
  return {
    store,
    rest(word) {
      const before = store.getState().word;
      if (before?.attempt === word.attempt && before.word === word.word) return;
      store.setState({ word });
    },
    leave() {
      if (store.getState().word) store.setState({ word: undefined });
    },
    togglePin(position) {
      store.setState(({ pinned }) => ({
        pinned: pinned.includes(position)
          ? pinned.filter((each) => each !== position)
          : [...pinned, position].slice(-MAX_HIDDEN),
      }));
    },
    unpin() {
      if (store.getState().pinned.length > 0) store.setState({ pinned: [] });
    },
  };
}
