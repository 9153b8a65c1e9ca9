import { createStore } from "zustand/vanilla";
import type { CacheSettings } from "@/protocol/engine";
import type { Chat, ChatState } from "../chat/chat";
import {
  type ChatConversation,
  emptyConversation,
  hasAnswersFrom,
  titleOf,
} from "../conversation/conversation";
import { newestImages, withImages } from "../conversation/conversationImages";
import { readImage } from "../images/readImage";
import type { ReadonlyStore } from "../readonlyStore";
import type { PolicyInfo } from "../settings/policyInfo";
import type { Archive } from "./archive";
import { withCurrentOptions } from "./currentOptions";
import type { ConversationRecord, ImageRecord } from "./records";

export interface LibraryState {
  /** The last edited question, and the name of the conversation with the replaced part. */
  readonly edited: { readonly exchangeId: string; readonly title: string } | undefined;
  /** The last deleted conversation, while it can be restored. */
  readonly removed: { readonly record: ConversationRecord; readonly title: string } | undefined;
}

/** The saved conversations: saves the current one, opens, renames, exports, imports and deletes. */
export interface Library {
  readonly archive: Archive;
  readonly store: ReadonlyStore<LibraryState>;
  /** Restores the newest conversation, if it is about the requested sample. */
  restore(sampleId: string | undefined): Promise<boolean>;
  open(id: string): Promise<void>;
  rename(id: string, name: string): Promise<void>;
  remove(id: string): Promise<void>;
  /** Restores the last deleted conversation. */
  undoRemove(): Promise<void>;
  /** JSON of a conversation; undefined if it no longer exists. */
  exported(id: string): Promise<string | undefined>;
  /**
   * Imports a conversation that was exported as JSON and opens it; on failure returns the reason.
   */
  take(file: File): Promise<string | undefined>;
  /**
   * Replaces a question and asks the new one. The old question and everything after it become a
   * separate conversation.
   */
  edit(exchangeId: string, question: string, lanes: readonly CacheSettings[]): void;
  /** An empty conversation about the latest images. */
  begin(): void;
}

export interface LibraryOptions {
  readonly archive: Archive;
  readonly chat: Chat;
  readonly policies: readonly PolicyInfo[];
  readonly newId: () => string;
  readonly now: () => number;
}

export function createLibrary(options: LibraryOptions): Library {
  const { archive, chat, policies, newId, now } = options;
  const store = createStore<LibraryState>(() => ({ edited: undefined, removed: undefined }));
  chat.store.subscribe((state, before) => {
    const isSame = state.conversation.id === before.conversation.id;
    if (isSame && isWorthKeeping(state, before)) void archive.save(state.conversation);
  });

  function begin() {
    const images = newestImages(chat.store.getState().conversation);
    chat.open(withImages(emptyConversation(newId(), now()), images));
  }

  async function open(id: string) {
    if (id === chat.store.getState().conversation.id) return;
    const found = await archive.read(id);
    if (found) chat.open(withCurrentOptions(found, policies));
  }

  async function take(file: File) {
    // Loaded on demand: both are rarely needed, and not on the first screen.
    const { readDocument, recordOf } = await import("./importJson");
    const record = recordOf(readDocument(await file.text(), file.name), newId, now());
    const pictures: ImageRecord[] = [];
    for (const { blob, ...source } of record.pictures) {
      const outcome = await readImage(blob, source);
      if (!outcome.ok) throw new Error(outcome.failure.message);
      const { url, ...image } = outcome.image;
      URL.revokeObjectURL(url);
      pictures.push(image);
    }
    await archive.put({ ...record, pictures });
    const { failure, isKept } = archive.store.getState();
    if (failure || !isKept) throw new Error(failure ?? "This browser keeps no conversations.");
    await open(record.id);
  }

  return {
    archive,
    store,
    begin,
    open,
    async restore(sampleId) {
      const newest = await archive.newest();
      const found = newest && (await archive.read(newest.id));
      if (!found || !isAbout(found, sampleId)) return false;
      chat.open(withCurrentOptions(found, policies));
      return true;
    },
    async rename(id, name) {
      chat.rename(id, name);
      await archive.rename(id, name);
    },
    async remove(id) {
      const record = await archive.record(id);
      const title = archive.store.getState().entries.find((entry) => entry.id === id)?.title;
      if (id === chat.store.getState().conversation.id) begin();
      await archive.remove(id);
      if (record) store.setState({ removed: { record, title: title ?? "" } });
    },
    async undoRemove() {
      const { removed } = store.getState();
      store.setState({ removed: undefined });
      if (removed) await archive.put(removed.record);
    },
    async exported(id) {
      const record = await archive.record(id);
      if (!record) return undefined;
      const { exportJson } = await import("./exportJson");
      return exportJson(record);
    },
    take: (file) =>
      take(file).then(
        () => undefined,
        (error: unknown) => (error instanceof Error ? error.message : String(error)),
      ),
    edit(exchangeId, question, lanes) {
      const before = chat.store.getState().conversation;
      const edited = chat.edit(exchangeId, question, lanes);
      if (edited === undefined || !hasAnswersFrom(before, exchangeId)) return;
      const title = `${titleOf(before)} (before edit)`;
      // Exchanges keep their ids, which need to be unique within a conversation only.
      void archive.save({ ...before, id: newId(), name: title });
      store.setState({ edited: { exchangeId: edited, title } });
    },
  };
}

/**
 * Whether to save: a question was asked, or an answer started or ended. Single tokens are not
 * saved.
 */
function isWorthKeeping(state: ChatState, before: ChatState): boolean {
  if (state.conversation.exchanges.length === 0) return false;
  if (state.conversation.images !== before.conversation.images) return true;
  return state.running !== before.running || attempts(state) !== attempts(before);
}

function attempts({ conversation }: ChatState): number {
  return conversation.exchanges.reduce((sum, exchange) => sum + exchange.attempts.length, 0);
}

function isAbout(conversation: ChatConversation, sampleId: string | undefined): boolean {
  return sampleId === undefined || conversation.images.at(-1)?.sampleId === sampleId;
}
