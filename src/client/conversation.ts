import type { CacheSettings, Sampling } from "@/protocol/engine";
import type { Answer } from "./answer";
import type { PastTurn, Question } from "./question";

export interface ConversationOptions {
  /** For every question; change them for one and its prompt is prefilled anew. */
  readonly settings?: Partial<CacheSettings>;
  readonly sampling?: Partial<Sampling>;
  /** Turns to go on from, oldest first: a conversation that was saved. */
  readonly turns?: readonly PastTurn[];
}

/**
 * Turns that follow each other. Each question carries the ones before it with the ids that were
 * generated for them, so that the engine appends it to the compacted cache instead of reading the
 * images again (`TurnResult.appended` says whether it did).
 */
export interface Conversation {
  /** Answered turns, oldest first. A question that failed or got no token is not among them. */
  readonly turns: readonly PastTurn[];
  /** As `Keepsight.ask`; the turn is in `turns` by the time that the answer's `result` resolves. */
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
        () => {}, // whoever awaits the answer is told
      );
      return answer;
    },
  };
}
