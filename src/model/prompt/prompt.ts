import { clipsOf, type Framed, minutesAndSeconds } from "./clips";
import type { ImageMarkup, PromptImage } from "./imageMarkup";
import { piecesOf, type WrittenTurn, writePieces, writesVideos } from "./placeholders";
import { PromptError } from "./promptError";
import type { ChatMessage, Tokenizer } from "./tokenizer";

type Parts = ChatMessage["content"];

export interface PromptTurn {
  /** Images before the question, in order. */
  readonly images: readonly PromptImage[];
  readonly question: string;
  /** Ids that were generated for this turn, used unchanged. */
  readonly answerIds?: readonly number[];
  /** Instead of ids, an answer that did not come from this model. */
  readonly answerText?: string;
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
  /** The images of all turns, counted turn by turn, in prompt order: templates may place images before videos. */
  readonly imageOrder: readonly number[];
}

// Unicode noncharacters: never in text, so they can mark places in it.
const ANSWER = "\uFDD0";
const BREAK = "\uFDD1";
const MARKS = /[\uFDD0-\uFDEF]/g;

/**
 * Encodes conversations as ids: the model's own chat template and tokenizer for user text, and the
 * recorded ids for generated text. Ids that this model generated are never tokenised again.
 */
export class PromptBuilder {
  readonly #tokenizer: Tokenizer;
  readonly #markup: ImageMarkup | undefined;
  readonly #stopIds: ReadonlySet<number>;
  /** Whether family and template know videos; else frames are images after their times. */
  readonly #writesVideos: boolean;

  constructor(tokenizer: Tokenizer, markup: ImageMarkup | undefined, stopIds: Iterable<number>) {
    this.#tokenizer = tokenizer;
    this.#markup = markup;
    this.#stopIds = new Set(stopIds);
    this.#writesVideos = writesVideos(tokenizer, markup);
  }

  /**
   * Ids of a conversation whose last turn has no answer yet.
   * @throws PromptError
   */
  build(turns: readonly PromptTurn[]): Prompt {
    const ids: number[] = [];
    const turnStarts: number[] = [];
    const tiles: PromptTile[] = [];
    const imageOrder: number[] = [];
    for (const [index, turn] of turns.entries()) {
      turnStarts.push(ids.length);
      const { text, order } = this.#text(turns.slice(0, index + 1));
      const written = text
        .split(BREAK)
        .flatMap((part, i) =>
          index + i === 0 ? this.#tokenizer.encode(part) : this.#tokenizer.encodeRest(part),
        );
      const added = index === 0 ? [...this.#prefix(written), ...written] : written;
      // A turn that ended by its stop token has it already; any other gets it with the next text.
      const isClosed = this.#stopIds.has(ids.at(-1) ?? -1) && this.#stopIds.has(added[0] ?? -1);
      const own = isClosed && index > 0 ? added.slice(1) : added;
      const images = order.map((image) => turn.images[image] as PromptImage);
      tiles.push(...this.#tiles(images, own, ids.length));
      const firstImage = imageOrder.length;
      imageOrder.push(...order.map((image) => firstImage + image));
      for (const id of own) ids.push(id);
      const { answerIds, answerText } = turn;
      const answer = answerIds ?? this.#readAnswer(turns.slice(0, index + 1), answerText);
      for (const id of answer) ids.push(id);
    }
    return { ids, turnStarts, tiles, imageOrder };
  }

  /**
   * The tokenizer's own first ids, unless the template has written them, like the processors of
   * `transformers`.
   */
  #prefix(written: readonly number[]): readonly number[] {
    if (!this.#markup) return [];
    const { prefixIds } = this.#tokenizer;
    return prefixIds.every((id, i) => written[i] === id) ? [] : prefixIds;
  }

  /** Ids of an answer that another model gave, with the space that the template writes before answers. */
  #readAnswer(turns: readonly PromptTurn[], text: string | undefined): readonly number[] {
    if (text === undefined) return [];
    const asked = this.#tokenizer.render(this.#messages(turns));
    const next = { images: [], question: "?" };
    const written = this.#tokenizer.render(this.#messages([...turns, next]));
    const before = written.slice(0, written.lastIndexOf(ANSWER));
    const space = before.startsWith(asked) ? before.slice(asked.length) : "";
    const parts = `${space}${this.#plain(text.trim())}`.split(BREAK);
    return parts.flatMap((part) => this.#tokenizer.encodeRest(part));
  }

  /** What the last of `turns` adds to the prompt, from the end of the answer before it. */
  #text(turns: readonly PromptTurn[]): WrittenTurn {
    const rendered = this.#tokenizer.render(this.#messages(turns));
    return this.#withImages(rendered.slice(rendered.lastIndexOf(ANSWER) + 1), turns.at(-1));
  }

  /** The conversation for the template, which sees marks in the place of answers. */
  #messages(turns: readonly PromptTurn[]): readonly ChatMessage[] {
    return turns.flatMap((turn, index): ChatMessage[] => [
      { role: "user", content: this.#content(turn) },
      ...(index + 1 < turns.length
        ? [{ role: "assistant", content: [{ type: "text", text: ANSWER }] } as const]
        : []),
    ]);
  }

  #content(turn: PromptTurn): ChatMessage["content"] {
    const images = clipsOf(turn.images).flatMap(({ first, count, isVideo }): Parts => {
      if (!isVideo) return [{ type: "image" }];
      if (this.#writesVideos) return [{ type: "video" }];
      const frames = turn.images.slice(first, first + count);
      const [before = "", ...behind] = (this.#markup?.frameTexts ?? timesBefore)(frames);
      return [
        { type: "text", text: before },
        ...behind.flatMap((text): Parts => [{ type: "image" }, { type: "text", text }]),
      ];
    });
    return [...images, { type: "text", text: this.#plain(turn.question) }];
  }

  /** The user's text with every special token split in two, so it is tokenised as plain text. */
  #plain(text: string): string {
    return this.#tokenizer.addedTokens.reduce(
      (plain, token) => plain.replaceAll(token, `${token.slice(0, 1)}${BREAK}${token.slice(1)}`),
      text.replace(MARKS, ""),
    );
  }

  #withImages(text: string, turn: PromptTurn | undefined): WrittenTurn {
    const markup = this.#markup;
    const pieces = markup ? piecesOf(turn?.images ?? [], markup, this.#writesVideos) : [];
    const placeholders = [markup?.placeholder, markup?.video?.placeholder].flatMap((x) => x ?? []);
    return writePieces(text, pieces, placeholders);
  }

  /**
   * Locations of the visual rows of a turn's images, which are in prompt order. `ids` are the turn's token ids, from position
   * `offset` on: an image token among generated ids is never taken for a row.
   */
  #tiles(images: readonly PromptImage[], ids: readonly number[], offset: number): PromptTile[] {
    const { imageTokenId = -1, video } = this.#markup ?? {};
    const videoTokenId = (this.#writesVideos && video?.tokenId) || imageTokenId;
    const tiles: PromptTile[] = [];
    let from = 0;
    for (const image of images) {
      const tokenId = image.frame ? videoTokenId : imageTokenId;
      for (const [tile, { gridRows, gridColumns }] of image.tiles.entries()) {
        const count = gridRows * gridColumns;
        const start = ids.indexOf(tokenId, from);
        from = start + count;
        if (start < 0 || ids[from - 1] !== tokenId) {
          throw new PromptError("The model's tokenizer does not keep its image tokens apart.");
        }
        tiles.push({ image: image.key, tile, start: offset + start, count });
      }
    }
    return tiles;
  }
}

function timesBefore(frames: readonly Framed[]): readonly string[] {
  const times = frames.map(({ frame }) => `Frame at ${minutesAndSeconds(frame?.seconds ?? 0)}: `);
  return [...times, ""];
}
