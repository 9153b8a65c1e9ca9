import type { Tokenizer } from "./tokenizer";

/**
 * Decodes ids incrementally, in whole characters: a token that ends inside a UTF-8 sequence gives
 * no text until the sequence is complete. Leading white space is removed.
 */
export class TextStream {
  readonly #tokenizer: Pick<Tokenizer, "decode">;
  readonly #ids: number[] = [];
  // Decoded with a few tokens of context, for tokenizers whose output depends on preceding tokens.
  #context = 0;
  #shown = 0;
  #text = "";

  constructor(tokenizer: Pick<Tokenizer, "decode">) {
    this.#tokenizer = tokenizer;
  }

  /** The text that this id completes; often empty. */
  push(id: number): string {
    this.#ids.push(id);
    const before = this.#tokenizer.decode(this.#ids.slice(this.#context, this.#shown));
    const after = this.#tokenizer.decode(this.#ids.slice(this.#context));
    if (after.length <= before.length || after.endsWith("\uFFFD")) return "";
    this.#context = this.#shown;
    this.#shown = this.#ids.length;
    const added = after.slice(before.length);
    const delta = this.#text === "" ? added.trimStart() : added;
    this.#text += delta;
    return delta;
  }

  /** All text so far. */
  get text(): string {
    return this.#text;
  }
}
