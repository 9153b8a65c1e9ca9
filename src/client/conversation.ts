import type { CacheSettings, Sampling } from "@/protocol/request";
import type { Answer } from "./answer";
import type { PastTurn, Question } from "./question";

export interface ConversationOptions {
  /** Settings of every question; a question with other settings is prefilled again. */
  readonly settings?: Partial<CacheSettings>;
  readonly sampling?: Partial<Sampling>;
  /** Turns of a saved conversation to continue, oldest first. */
  readonly turns?: readonly PastTurn[];
}

/**
 * A sequence of turns. Each question carries the earlier turns with their generated ids, so the
 * engine appends it to the compacted cache instead of processing the images again
 * (`TurnResult.appended`).
 */
export interface Conversation {
  /** Answered turns, oldest first, without questions that failed or got no token. */
  readonly turns: readonly PastTurn[];
  /** Like `Keepsight.ask`; the turn is in `turns` when the answer's `result` resolves. */
  ask(question: Omit<Question, "history">): Answer;
}

export function createConversation(
  ask: (question: Question) => Answer,
  { settings, sampling, turns: earlier = [] }: ConversationOptions,
): Conversation {
  let turns: readonly PastTurn[] = [...earlier];
  return {
    get turns() {
      return turns;
    },
    ask(asked) {
      const { images = [], question } = asked;
      const answer = ask({
        ...asked,
        history: turns,
        settings: { ...settings, ...asked.settings },
        sampling: { ...sampling, ...asked.sampling },
      });
      answer.result.then(
        ({ tokenIds }) => {
          if (tokenIds.length > 0) turns = [...turns, { images, question, answerIds: tokenIds }];
        },
        () => {}, // the answer's own promise reports the failure
      );
      return answer;
    },
  };
}
