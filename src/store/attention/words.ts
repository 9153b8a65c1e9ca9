/** A word of an answer, by the rule of `text/agreement.ts`: a whitespace-delimited string. */
interface Word {
  /** Offsets of its characters in the answer. */
  readonly start: number;
  readonly end: number;
}

export function wordsIn(answer: string): readonly Word[] {
  return Array.from(answer.matchAll(/\S+/g), ({ 0: text, index }) => ({
    start: index,
    end: index + text.length,
  }));
}

/**
 * The decoding steps of each word's tokens. A step that produced only part of a character belongs
 * to the same word as the step that completes it. A step that produced only white space, or no
 * further text, belongs to no word.
 * @param ends [steps] number of characters of the answer after each step
 * @returns [words] steps, ascending; empty if no step of the word was recorded
 */
export function stepsOfWords(
  answer: string,
  ends: readonly number[],
): readonly (readonly number[])[] {
  const spans = spansOfSteps(ends);
  return wordsIn(answer).map(({ start, end }) =>
    spans.flatMap((span, step) =>
      Math.max(start, span.start) < Math.min(end, span.end) ? [step] : [],
    ),
  );
}

/** Range of characters to which each step contributed. [steps] */
function spansOfSteps(ends: readonly number[]): readonly Word[] {
  let start = 0;
  return ends.map((end, step) => {
    const whole = end > start ? end : (ends.slice(step).find((later) => later > start) ?? start);
    const span = { start, end: whole };
    start = Math.max(start, end);
    return span;
  });
}
