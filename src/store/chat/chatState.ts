import type { ChatConversation } from "../conversation/conversation";

export interface ChatState {
  readonly conversation: ChatConversation;
  /** The running attempt; in a comparison, the running lane. */
  readonly running: string | undefined;
  /** Attempt whose rows the viewer shows; undefined: the newest with rows. */
  readonly shown: string | undefined;
  /** The previous conversation, if choosing an image ended it. */
  readonly left: ChatConversation | undefined;
}

/**
 * Whether an answer is on its way. While only its reference still runs, the next question can be asked, and
 * waits.
 */
export function isAnswering({ running, conversation }: ChatState): boolean {
  return conversation.exchanges.some(({ attempts }) =>
    attempts.some(({ id, run }) => id === running && run.phase !== "done"),
  );
}
