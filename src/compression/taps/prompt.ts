/** Half-open range of rows. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Properties of a prompt that are known before its prefill. */
export interface TapPrompt {
  /** N: rows of the prompt. */
  readonly rows: number;
  /** The visual rows, ascending and disjoint. */
  readonly visual: readonly Span[];
  /** First text row after the last visual row (without an image: N - min(N - 1, 32)). */
  readonly textStart: number;
  /** [N] 1 for the candidates, the rows that may be dropped. Default: the visual rows. */
  readonly keys?: ArrayLike<number | boolean>;
}

/** Rows of an observation window: the text after an image, never the whole prompt, at least one. */
export function observationRows(
  { rows, visual, textStart }: Pick<TapPrompt, "rows" | "visual" | "textStart">,
  asked: number,
): number {
  const most = visual.length > 0 && textStart < rows ? rows - textStart : rows - 1;
  return Math.max(1, Math.min(asked, most));
}

/** First of the text rows T, which are never empty: a prompt that ends in its image has its last row. */
export function firstTextRow({ rows, textStart }: Pick<TapPrompt, "rows" | "textStart">): number {
  return Math.min(textStart, rows - 1);
}

/** [length] 1 for the rows of the spans. */
export function spanMask(length: number, spans: readonly Span[]): Float32Array<ArrayBuffer> {
  const mask = new Float32Array(length);
  for (const { start, end } of spans) mask.fill(1, start, end);
  return mask;
}

/** [length] 1 for the keys that the text rows vote on: the candidates before them. */
export function votedKeys(prompt: TapPrompt, length: number): Float32Array<ArrayBuffer> {
  const mask = prompt.keys ?? spanMask(prompt.rows, prompt.visual);
  const end = firstTextRow(prompt);
  return Float32Array.from({ length }, (_, key) => (key < end && mask[key] ? 1 : 0));
}
