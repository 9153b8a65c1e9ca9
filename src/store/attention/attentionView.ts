import { createStore } from "zustand/vanilla";
import type { Chat } from "../chat/chat";
import { MAX_HIDDEN } from "../conversation/occlusion";
import type { ReadonlyStore } from "../readonlyStore";

/** A word of an answer, by its place among the answer's words. */
export interface RestingWord {
  readonly attempt: string;
  readonly word: number;
}

export interface AttentionViewState {
  /** The word that pointer or keyboard rests on. */
  readonly word: RestingWord | undefined;
  /** Positions of the patches in the viewer that are held for hiding, oldest first. */
  readonly pinned: readonly number[];
}

/**
 * What somebody looks at, apart from the conversation: moving over words and patches changes this
 * store alone, and the transcript is not drawn again.
 */
export interface AttentionView {
  readonly store: ReadonlyStore<AttentionViewState>;
  rest(word: RestingWord): void;
  leave(): void;
  /** Pins a patch, or lets it go; the oldest one gives way where too many would be pinned. */
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
