import { createStore, type StoreApi } from "zustand/vanilla";
import { texts } from "@/language/language";
import type { CacheSettings } from "@/protocol/request";
import type { Chat } from "../chat/chat";
import type { ChatState } from "../chat/chatState";
import type { StoredCaches } from "../chat/storedCaches";
import {
  type ChatConversation,
  emptyConversation,
  hasAnswersFrom,
  titleOf,
} from "../conversation/conversation";
import { newestImages, withImages } from "../conversation/conversationImages";
import type { ReadonlyStore } from "../readonlyStore";
import type { PolicyInfo } from "../settings/policyInfo";
import type { Archive } from "./archive";
import { checkRecord } from "./consistency";
import { withCurrentOptions } from "./currentOptions";
import type { Ownership } from "./ownership";
import { readExport } from "./readExport";
import { type ConversationRecord, revive } from "./records";
import { SchemaError } from "./schema";
import type { Undrawn } from "./undrawn";

interface LibraryState {
  /** The last edited question, and the name of the conversation with the replaced part. */
  readonly edited: { readonly exchangeId: string; readonly title: string } | undefined;
  /** The last deleted conversation, while it can be restored. */
  readonly removed: { readonly record: ConversationRecord; readonly title: string } | undefined;
  /** Worth knowing about the conversation that was opened last, or could not be. */
  readonly notice: string | undefined;
}

/** The saved conversations: saves the current one, opens, renames, exports, imports and deletes. */
export interface Library {
  readonly archive: Archive;
  readonly store: ReadonlyStore<LibraryState>;
  /**
   * Restores the newest conversation, if it is about the requested sample.
   * @param isWanted checked after reading: the user may have chosen an image meanwhile
   */
  restore(sampleId: string | undefined, isWanted: () => boolean): Promise<boolean>;
  /** Opens a conversation, or a copy of it if another page has it open. */
  open(id: string): Promise<void>;
  /** Rendering the conversation failed: the next visit does not restore it. */
  drawingFailed(): void;
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
  readonly ownership: Ownership;
  readonly undrawn: Undrawn;
  /** Asks the browser to keep what is stored. */
  readonly persist: () => Promise<void>;
  readonly caches: StoredCaches;
  readonly newId: () => string;
  readonly now: () => number;
}

const NOTHING_TOLD: LibraryState = { edited: undefined, removed: undefined, notice: undefined };

export function createLibrary(options: LibraryOptions): Library {
  const { archive, chat, undrawn, caches, newId, now } = options;
  const store = createStore(() => NOTHING_TOLD);
  saveChanges(options, store);

  const { read, show } = opener(options, store);

  function begin() {
    const images = newestImages(chat.store.getState().conversation);
    chat.open(withImages(emptyConversation(newId(), now()), images));
  }

  /** Changes with each conversation that somebody asks for: of several that are read, the last one is shown. */
  let wanted = 0;

  async function open(id: string) {
    const mine = ++wanted;
    if (id === chat.store.getState().conversation.id) return;
    const found = await read(id);
    if (found) await show(found, () => mine === wanted);
  }

  async function take(file: File) {
    const record = await readExport(file, newId, now());
    await archive.put(record);
    const { failure, isStoring } = archive.store.getState();
    if (failure || !isStoring) throw new Error(failure ?? texts.library.notStored);
    await open(record.id);
  }

  return {
    archive,
    store,
    begin,
    open,
    drawingFailed: () => undrawn.fail(chat.store.getState().conversation.id),
    async restore(sampleId, isWanted) {
      const newest = await archive.newest();
      if (!newest) return false;
      if (undrawn.has(newest.id)) {
        const notice = texts.library.undrawn(newest.title);
        store.setState({ notice });
        return false;
      }
      const found = await read(newest.id);
      if (!found || !isAbout(found, sampleId) || !isWanted()) return false;
      return show(found, isWanted);
    },
    async rename(id, name) {
      chat.rename(id, name);
      await archive.rename(id, name);
    },
    async remove(id) {
      const record = await archive.record(id);
      const title = storedTitle(archive, id);
      if (id === chat.store.getState().conversation.id) begin();
      await archive.remove(id);
      void caches.remove(id);
      if (record) store.setState({ removed: { record, title } });
    },
    async undoRemove() {
      const { removed } = store.getState();
      store.setState({ removed: undefined });
      if (removed) await archive.put(removed.record);
    },
    exported: (id) => exportFrom(archive, id),
    take: (file) => take(file).then(() => undefined, messageOf),
    edit(exchangeId, question, lanes) {
      const before = chat.store.getState().conversation;
      const edited = chat.edit(exchangeId, question, lanes);
      if (edited === undefined || !hasAnswersFrom(before, exchangeId)) return;
      const title = texts.library.editedTitle(titleOf(before));
      // Exchanges keep their ids, which need to be unique within a conversation only.
      void archive.save({ ...before, id: newId(), name: title });
      store.setState({ edited: { exchangeId: edited, title } });
    },
  };
}

/** Reads stored conversations and shows them; what cannot be shown as it is becomes a notice. */
function opener(options: LibraryOptions, store: StoreApi<LibraryState>) {
  const { archive, chat, policies, ownership, undrawn, newId } = options;
  return {
    /** @returns the stored conversation, its images without addresses; undefined, with a notice, if it cannot be shown */
    async read(id: string): Promise<ChatConversation | undefined> {
      const record = await archive.record(id);
      if (!record) return undefined;
      const read = revived(record);
      if (read.ok) return read.conversation;
      const notice = texts.library.unshown(storedTitle(archive, id), read.why);
      store.setState({ notice });
      return undefined;
    },

    /**
     * Shows the conversation, or a copy if another page has it open: two pages writing one
     * conversation would lose questions.
     * @param isWanted checked before it is shown: its lock may have been waited for
     */
    async show(found: ChatConversation, isWanted: () => boolean): Promise<boolean> {
      const isOurs = await ownership.take(found.id);
      if (!isWanted()) return false;
      const title = titleOf(found);
      const own = isOurs ? found : { ...found, id: newId(), name: texts.library.copyTitle(title) };
      const notice = isOurs ? undefined : texts.library.copied(title);
      store.setState({ notice });
      undrawn.begin(found.id);
      chat.open(withCurrentOptions(withAddresses(own), policies));
      return true;
    },
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function storedTitle(archive: Archive, id: string): string {
  return archive.store.getState().entries.find((entry) => entry.id === id)?.title ?? "";
}

/** Saves the conversation on screen after every change that is worth it. */
function saveChanges(options: LibraryOptions, store: StoreApi<LibraryState>): void {
  const { archive, chat, ownership, persist } = options;
  chat.store.subscribe((state, before) => {
    const { id, exchanges } = state.conversation;
    if (id !== before.conversation.id) {
      // What an answer has said so far stays; the engine stops it.
      if (hasRunning(before)) void archive.save(before.conversation);
      return void ownership.take(id);
    }
    if (exchanges.length > before.conversation.exchanges.length) {
      store.setState({ notice: undefined });
    }
    if (!isWorthKeeping(state, before)) return;
    void archive.save(state.conversation).then(persist);
  });
}

type Revived =
  | { readonly ok: true; readonly conversation: ChatConversation }
  | { readonly ok: false; readonly why: string };

function revived(record: ConversationRecord): Revived {
  try {
    return { ok: true, conversation: revive(checkRecord(record)) };
  } catch (error) {
    const why = error instanceof SchemaError ? error.message : texts.library.damaged;
    return { ok: false, why };
  }
}

/** Makes the object URLs of a conversation that is shown; who shows another one revokes them. */
function withAddresses(conversation: ChatConversation): ChatConversation {
  const images = conversation.images.map((image) => {
    return { ...image, url: URL.createObjectURL(image.blob) };
  });
  return { ...conversation, images };
}

async function exportFrom(archive: Archive, id: string) {
  const record = await archive.record(id);
  if (!record) return undefined;
  const { exportJson } = await import("./exportJson");
  return exportJson(record);
}

function hasRunning({ conversation }: ChatState): boolean {
  return conversation.exchanges.some(({ attempts }) =>
    attempts.some(({ run }) => run.phase === "running"),
  );
}

/**
 * Whether to save: a question was asked, or an answer started, is complete or ended. Single tokens are
 * not saved.
 */
function isWorthKeeping(state: ChatState, before: ChatState): boolean {
  if (state.conversation.exchanges.length === 0) return false;
  if (state.conversation.images !== before.conversation.images) return true;
  const isOver = hasRunning(before) && !hasRunning(state);
  return isOver || state.running !== before.running || attempts(state) !== attempts(before);
}

function attempts({ conversation }: ChatState): number {
  return conversation.exchanges.reduce((sum, exchange) => sum + exchange.attempts.length, 0);
}

function isAbout(conversation: ChatConversation, sampleId: string | undefined): boolean {
  return sampleId === undefined || conversation.images.at(-1)?.sampleId === sampleId;
}
