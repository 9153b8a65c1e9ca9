import { agreeingWords } from "@/text/agreement";

export interface ComparedPart {
  readonly text: string;
  readonly differs: boolean;
}

/**
 * `text` in runs of words that agree with `reference` and runs that differ, all of its white space
 * kept. The last word of a text that is still being written is not judged: it may not be whole.
 */
export function comparedParts(
  text: string,
  reference: string,
  isStreaming: boolean,
): readonly ComparedPart[] {
  const words = agreeingWords(text, reference);
  const judged = isStreaming && !/\s$/.test(text) ? words.length - 1 : words.length;
  const parts: { text: string; differs: boolean }[] = [];
  let word = 0;
  for (const piece of text.split(/(\s+)/).filter((each) => each !== "")) {
    const last = parts.at(-1);
    const isSpace = /^\s/.test(piece);
    // Space belongs to a run that differs only if the word after it does, too.
    const next = words[word];
    const differs =
      next !== undefined && word < judged && !next.agrees && (!isSpace || last?.differs === true);
    if (!isSpace) word += 1;
    if (last && last.differs === differs) last.text += piece;
    else parts.push({ text: piece, differs });
  }
  return parts;
}
