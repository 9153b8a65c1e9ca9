/**
 * Agreement of two texts: words of their longest common subsequence divided by the words of the
 * longer text. 1 for equal words, and for two empty texts.
 */
export function agreement(answer: string, reference: string): number {
  const { common, words } = agreementCounts(answer, reference);
  return words === 0 ? 1 : common / words;
}

/** The two counts of `agreement`: common words, and words of the longer text. */
export function agreementCounts(
  answer: string,
  reference: string,
): { readonly common: number; readonly words: number } {
  const [a, b] = [wordsOf(answer), wordsOf(reference)];
  return { common: commonLengths(a, b)[0]!, words: Math.max(a.length, b.length) };
}

/** For each word of `answer`, whether it belongs to the longest common subsequence with `reference`. */
export function agreeingWords(
  answer: string,
  reference: string,
): readonly { readonly word: string; readonly agrees: boolean }[] {
  const [a, b] = [wordsOf(answer), wordsOf(reference)];
  const lengths = commonLengths(a, b);
  const width = b.length + 1;
  const marked = [];
  let j = 0;
  for (const [i, word] of a.entries()) {
    while (j < b.length && b[j] !== word && lengths[i * width + j] === lengths[i * width + j + 1])
      j++;
    const agrees = j < b.length && b[j] === word;
    if (agrees) j++;
    marked.push({ word, agrees });
  }
  return marked;
}

/**
 * For each word of `answer`, the index of the corresponding word of `reference`: the matching word
 * of the longest common subsequence, otherwise the word at the same distance after the last common
 * word; undefined if the reference has no such word before the next common word.
 */
export function alignedWords(answer: string, reference: string): readonly (number | undefined)[] {
  const words = wordsOf(reference);
  const marked = agreeingWords(answer, reference);
  /** Words of the reference in the subsequence, in order. */
  const taken: number[] = [];
  let from = 0;
  for (const { word, agrees } of marked) {
    if (!agrees) continue;
    from = words.indexOf(word, from) + 1;
    taken.push(from - 1);
  }
  let next = 0;
  let behind = -1;
  return marked.map(({ agrees }) => {
    if (agrees) {
      behind = taken[next]!;
      next += 1;
      return behind;
    }
    behind += 1;
    return behind < (taken[next] ?? words.length) ? behind : undefined;
  });
}

/** A place where two texts differ; either side may have no words. */
export interface Change {
  readonly answer: string;
  readonly reference: string;
}

/** The places where an answer differs from a reference, in order, each as long as possible. */
export function changesBetween(answer: string, reference: string): readonly Change[] {
  const words = wordsOf(reference);
  const changes: Change[] = [];
  let own: string[] = [];
  let next = 0;
  const close = (end: number) => {
    const other = words.slice(next, end);
    if (own.length + other.length > 0) {
      changes.push({ answer: own.join(" "), reference: other.join(" ") });
    }
    own = [];
    next = end + 1;
  };
  for (const { word, agrees } of agreeingWords(answer, reference)) {
    if (agrees) close(words.indexOf(word, next));
    else own.push(word);
  }
  close(words.length);
  return changes;
}

function wordsOf(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}

/** [a.length + 1, b.length + 1]: length of the longest common subsequence of the suffixes. */
function commonLengths(a: readonly string[], b: readonly string[]): Uint32Array {
  const width = b.length + 1;
  const lengths = new Uint32Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      lengths[i * width + j] =
        a[i] === b[j]
          ? lengths[(i + 1) * width + j + 1]! + 1
          : Math.max(lengths[(i + 1) * width + j]!, lengths[i * width + j + 1]!);
    }
  }
  return lengths;
}
