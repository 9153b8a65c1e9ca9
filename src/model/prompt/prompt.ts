import type { ChatMessage, Tokenizer } from "./tokenizer";

/** Tiles that an image was cut into; 0 × 0 if it is not cut. */
export interface TileGrid {
  readonly rows: number;
  readonly columns: number;
}

export interface PromptImage extends TileGrid {
  /** Identifies the image; equal keys in two turns mean the same image. */
  readonly key: string;
}

export interface PromptTurn {
  /** Images before the question, in order. */
  readonly images: readonly PromptImage[];
  readonly question: string;
  /** Ids that were generated for this turn, used unchanged. */
  readonly answerIds?: readonly number[];
}

/** One tile's visual rows in the prompt: `count` rows from `start`. */
export interface PromptTile {
  readonly image: string;
  /** Index among the image's tiles; the whole image, if it was also tiled, is last. */
  readonly tile: number;
  readonly start: number;
  readonly count: number;
}

export interface Prompt {
  /** The whole conversation up to the start of the answer. */
  readonly ids: readonly number[];
  /** Start of each turn's text, after the previous turn's answer. */
  readonly turnStarts: readonly number[];
  /** In prompt order. */
  readonly tiles: readonly PromptTile[];
}

/** A model family's notation of images in the prompt. */
export interface ImageMarkup {
  /** The chat template's placeholder for an image. */
  readonly placeholder: string;
  readonly imageTokenId: number;
  /** Visual rows of one tile. */
  readonly rowsPerTile: number;
  /** The text that replaces the placeholder. */
  expand(grid: TileGrid): string;
}

/** The model's template cannot produce a prompt; the message is one sentence. */
export class PromptError extends Error {
  override readonly name = "PromptError";
}

// Unicode noncharacters: never in text, so they can mark places in it.
const ANSWER = "\uFDD0";
const BREAK = "\uFDD1";
const MARKS = /[\uFDD0-\uFDEF]/g;

/**
 * Encodes conversations as ids: the model's own chat template and tokenizer for user text, and the
 * recorded ids for generated text. Generated ids are never tokenised again.
 */
export class PromptBuilder {
  readonly #tokenizer: Tokenizer;
  readonly #markup: ImageMarkup;
  readonly #stopIds: ReadonlySet<number>;

  constructor(tokenizer: Tokenizer, markup: ImageMarkup, stopIds: Iterable<number>) {
    this.#tokenizer = tokenizer;
    this.#markup = markup;
    this.#stopIds = new Set(stopIds);
  }

  /**
   * Ids of a conversation whose last turn has no answer yet.
   * @throws PromptError
   */
  build(turns: readonly PromptTurn[]): Prompt {
    const ids: number[] = [];
    const turnStarts: number[] = [];
    for (const [index, turn] of turns.entries()) {
      turnStarts.push(ids.length);
      const text = this.#text(turns.slice(0, index + 1));
      const added = text.split(BREAK).flatMap((part) => this.#tokenizer.encode(part));
      // A turn that ended with its stop token includes it; any other gets it with the next turn's
      // text.
      const isClosed = this.#stopIds.has(ids.at(-1) ?? -1) && this.#stopIds.has(added[0] ?? -1);
      for (const id of isClosed && index > 0 ? added.slice(1) : added) ids.push(id);
      for (const id of turn.answerIds ?? []) ids.push(id);
    }
    return { ids, turnStarts, tiles: this.#tiles(turns, ids) };
  }

  /** The text that the last of `turns` adds to the prompt, from the end of the previous answer. */
  #text(turns: readonly PromptTurn[]): string {
    const messages = turns.flatMap((turn, index): ChatMessage[] => [
      { role: "user", content: this.#content(turn) },
      ...(index + 1 < turns.length
        ? [{ role: "assistant", content: [{ type: "text", text: ANSWER }] } as const]
        : []),
    ]);
    const rendered = this.#tokenizer.render(messages);
    return this.#withImages(rendered.slice(rendered.lastIndexOf(ANSWER) + 1), turns.at(-1));
  }

  #content(turn: PromptTurn): ChatMessage["content"] {
    return [
      ...turn.images.map(() => ({ type: "image" }) as const),
      { type: "text", text: this.#plain(turn.question) },
    ];
  }

  /** The user's text with every special token split in two, so it is tokenised as plain text. */
  #plain(text: string): string {
    return this.#tokenizer.specialTokens.reduce(
      (plain, token) => plain.replaceAll(token, `${token.slice(0, 1)}${BREAK}${token.slice(1)}`),
      text.replace(MARKS, ""),
    );
  }

  #withImages(text: string, turn: PromptTurn | undefined): string {
    const parts = text.split(this.#markup.placeholder);
    const images = turn?.images ?? [];
    if (parts.length !== images.length + 1) {
      const places = `${parts.length - 1} of ${images.length} images`;
      throw new PromptError(`The model's chat template places ${places}.`);
    }
    return parts.reduce(
      (whole, part, i) => whole + this.#markup.expand(images[i - 1] as PromptImage) + part,
    );
  }

  #tiles(turns: readonly PromptTurn[], ids: readonly number[]): PromptTile[] {
    const { imageTokenId, rowsPerTile } = this.#markup;
    const tiles: PromptTile[] = [];
    let from = 0;
    for (const image of turns.flatMap((turn) => turn.images)) {
      const count = image.rows * image.columns + 1;
      for (let tile = 0; tile < count; tile++) {
        const start = ids.indexOf(imageTokenId, from);
        from = start + rowsPerTile;
        if (start < 0 || ids[from - 1] !== imageTokenId) {
          throw new PromptError("The model's tokenizer does not keep its image tokens apart.");
        }
        tiles.push({ image: image.key, tile, start, count: rowsPerTile });
      }
    }
    return tiles;
  }
}

/**
 * Idefics3 and SmolVLM: every tile of a cut image with its row and column, one line per row of
 * tiles, then the whole image; an uncut image only whole.
 */
export function idefics3Markup(imageTokenId: number, rowsPerTile: number): ImageMarkup {
  const placeholder = "<image>";
  const around = "<fake_token_around_image>";
  const visual = placeholder.repeat(rowsPerTile);
  const whole = `${around}<global-img>${visual}${around}`;
  return {
    placeholder,
    imageTokenId,
    rowsPerTile,
    expand({ rows, columns }) {
      if (rows === 0) return whole;
      const lines = Array.from({ length: rows }, (_, row) => {
        const tiles = Array.from(
          { length: columns },
          (_, column) => `${around}<row_${row + 1}_col_${column + 1}>${visual}`,
        );
        return `${tiles.join("")}\n`;
      });
      return `${lines.join("")}\n${whole}`;
    },
  };
}
