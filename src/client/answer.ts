import type { EngineEvent, TurnResult } from "@/protocol/engine";

/** One generated token, as its `token` event tells it. */
export interface AnswerToken {
  /** Place in the answer, from 0. */
  readonly index: number;
  readonly id: number;
  /** What the token adds to the answer; empty while a character's bytes are incomplete. */
  readonly text: string;
  /** Milliseconds since the token before it; for the first, since the question. */
  readonly ms: number;
}

/**
 * An answer while it is being generated. Iterating yields every token from the first one on, however
 * late it starts, and then throws what `result` rejects with. Leaving the loop early stops the
 * answer, and waits until it has stopped.
 */
export interface Answer extends AsyncIterable<AnswerToken, undefined> {
  /**
   * The finished turn. A stopped answer resolves too, with what there is and `finish: "cancelled"`.
   * Rejects with `EngineError`; a rejection that nobody looks at is not reported as unhandled.
   */
  readonly result: Promise<TurnResult>;
}

/**
 * @param run called at once: begins the answer, handing over each event that belongs to it
 * @param stop asks the engine to stop; the answer then settles by itself
 */
export function createAnswer(
  run: (hear: (event: EngineEvent) => void) => Promise<TurnResult>,
  stop: () => void,
): Answer {
  const tokens: AnswerToken[] = [];
  let isSettled = false;
  /** Iterations that wait for the next token or the end. */
  let waiting: (() => void)[] = [];
  const wake = () => {
    const woken = waiting;
    waiting = [];
    for (const resume of woken) resume();
  };

  const result = run((event) => {
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
        } else await new Promise<void>((resume) => waiting.push(resume));
      }
    } finally {
      if (!isSettled) {
        stop();
        await result.catch(() => {});
      }
    }
  }

  return { result, [Symbol.asyncIterator]: iterate };
}
