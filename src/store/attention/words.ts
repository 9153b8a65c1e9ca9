/** A word of an answer, by the rule of `telemetry/agreement.ts`: what stands between white space. */
export interface Word {
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
 * The generated steps that wrote each word. A step that only wrote bytes of a character that was
 * not whole yet belongs with the step that ended it; one that wrote white space alone, or nothing
 * to the end, belongs to no word.
 * @param ends [steps] characters of the answer that were there after each step
 * @returns [words] steps, ascending; empty where no step of the word was recorded
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

/** Characters that each step wrote, or helped to write. [steps] */
function spansOfSteps(ends: readonly number[]): readonly Word[] {
  let start = 0;
  return ends.map((end, step) => {
    const whole = end > start ? end : (ends.slice(step).find((later) => later > start) ?? start);
    const span = { start, end: whole };
    start = Math.max(start, end);
    return span;
  });
}
