import type { Archive } from "./archive";
import type { Chat, ChatState } from "./chat";
import { type Conversation, emptyConversation } from "./conversation";
import { newestPictures, withPictures } from "./conversationPictures";
import { exportJson } from "./records";

/** Conversations over time: kept as they go on, opened again, named, taken along, forgotten. */
export interface History {
  readonly archive: Archive;
  /** Brings back the newest conversation, if it is about the sample that was asked for. */
  restore(sampleId: string | undefined): Promise<boolean>;
  open(id: string): Promise<void>;
  rename(id: string, name: string): Promise<void>;
  remove(id: string): Promise<void>;
  /** JSON of a conversation; undefined when it is not there any more. */
  exported(id: string): Promise<string | undefined>;
  /** An empty conversation about the pictures that came last. */
  begin(): void;
}

export function createHistory(archive: Archive, chat: Chat, newId: () => string): History {
  chat.store.subscribe((state, before) => {
    const isSame = state.conversation.id === before.conversation.id;
    if (isSame && isWorthKeeping(state, before)) void archive.save(state.conversation);
  });

  function begin() {
    const pictures = newestPictures(chat.store.getState().conversation);
    chat.open(withPictures(emptyConversation(newId(), Date.now()), pictures));
  }

  async function open(id: string) {
    if (id === chat.store.getState().conversation.id) return;
    const found = await archive.read(id);
    if (found) chat.open(found);
  }

  return {
    archive,
    begin,
    open,
    async restore(sampleId) {
      const newest = await archive.newest();
      const found = newest && (await archive.read(newest.id));
      if (!found || !isAbout(found, sampleId)) return false;
      chat.open(found);
      return true;
    },
    async rename(id, name) {
      chat.rename(id, name);
      await archive.rename(id, name);
    },
    async remove(id) {
      if (id === chat.store.getState().conversation.id) begin();
      await archive.remove(id);
    },
    async exported(id) {
      const record = await archive.record(id);
      return record && exportJson(record);
    },
  };
}

/** A question was asked, or an answer began or ended; single tokens are not worth a write. */
function isWorthKeeping(state: ChatState, before: ChatState): boolean {
  if (state.conversation.exchanges.length === 0) return false;
  if (state.conversation.pictures !== before.conversation.pictures) return true;
  return state.running !== before.running || attempts(state) !== attempts(before);
}

function attempts({ conversation }: ChatState): number {
  return conversation.exchanges.reduce((sum, exchange) => sum + exchange.attempts.length, 0);
}

function isAbout(conversation: Conversation, sampleId: string | undefined): boolean {
  return sampleId === undefined || conversation.pictures.at(-1)?.sampleId === sampleId;
}
