import type { Tokenizer } from "./tokenizer";

/**
 * Turns ids into text as they come, whole characters only: a token that ends inside a UTF-8
 * sequence gives nothing until the rest of it has come. White space before the answer is left out.
 */
export class TextStream {
  readonly #tokenizer: Pick<Tokenizer, "decode">;
  readonly #ids: number[] = [];
  // Decoded with a few tokens of context, for tokenizers whose words depend on what stands before.
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

  /** Everything that was given out. */
  get text(): string {
    return this.#text;
  }
}
