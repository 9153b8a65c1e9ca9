import type { EngineEvent } from "@/protocol/event";
import type { TurnResult } from "@/protocol/result";

/** One generated token, from its `token` event. */
export interface AnswerToken {
  /** Index in the answer, from 0. */
  readonly index: number;
  readonly id: number;
  /** Text that the token adds to the answer; empty while a character's bytes are incomplete. */
  readonly text: string;
  /** Milliseconds since the previous token; for the first, since the question. */
  readonly ms: number;
}

/**
 * An answer during generation. Iteration yields every token from the first one on, even if it
 * starts late, and then throws if `result` rejects. Leaving the loop early stops the answer and
 * waits until it has stopped.
 */
export interface Answer extends AsyncIterable<AnswerToken, undefined> {
  /**
   * The finished turn. A stopped answer also resolves, with the text so far and `finish:
   * "cancelled"`. Rejects with `EngineError`; an unobserved rejection is not reported as unhandled.
   */
  readonly result: Promise<TurnResult>;
}

/**
 * @param run called at once: starts the answer and passes each of its events
 * @param stop asks the engine to stop; the answer then settles
 */
export function createAnswer(
  run: (hear: (event: EngineEvent) => void) => Promise<TurnResult>,
  stop: () => void,
): Answer {
  const tokens: AnswerToken[] = [];
  let isSettled = false;
  /** No more tokens come; a reference may still be computed. */
  let isAnswered = false;
  /** Iterators waiting for the next token or the end. */
  let waiting: (() => void)[] = [];
  const wake = () => {
    const woken = waiting;
    waiting = [];
    for (const resume of woken) resume();
  };

  const result = run((event) => {
    if (event.type === "answered") {
      isAnswered = true;
      wake();
    }
    if (event.type !== "token") return;
    const { index, id, text, ms } = event;
    tokens.push({ index, id, text, ms });
    wake();
  });
  const settle = () => {
    isSettled = true;
    wake();
  };
  result.then(settle, settle);

  async function* iterate(): AsyncGenerator<AnswerToken, undefined> {
    try {
      for (let next = 0; ; ) {
        const token = tokens[next];
        if (token) {
          next += 1;
          yield token;
        } else if (isSettled) {
          await result;
          return;
        } else if (isAnswered) {
          return;
        } else await new Promise<void>((resume) => waiting.push(resume));
      }
    } finally {
      if (!isSettled && !isAnswered) {
        stop();
        await result.catch(() => {});
      }
    }
  }

  return { result, [Symbol.asyncIterator]: iterate };
}
