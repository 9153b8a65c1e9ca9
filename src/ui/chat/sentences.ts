/**
 * Whole sentences of `text` after `start`, and where they end; with `isDone` the rest counts as one.
 */
export function sentencesFrom(
  text: string,
  start: number,
  isDone: boolean,
): { readonly next: string; readonly end: number } {
  const rest = text.slice(start);
  const length = isDone ? rest.length : lastSentenceEnd(rest);
  return { next: rest.slice(0, length).trim(), end: start + length };
}

/** A point is an end only before a space, because numbers have points, too; Chinese and Japanese put no space. */
const SENTENCE_END = /[.!?…]["”’)]*\s+|[。！？]["”’）」』]*\s*|\n+/g;

function lastSentenceEnd(text: string): number {
  let end = 0;
  for (const match of text.matchAll(SENTENCE_END)) end = match.index + match[0].length;
  return end;
}
