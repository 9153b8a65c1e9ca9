import { clipsOf, type Framed, minutesAndSeconds } from "./clips";
import type { ChatMessage, Tokenizer } from "./tokenizer";

/** Tiles that an image was cut into; 0 × 0 if it is not cut. */
export interface TileGrid {
  readonly rows: number;
  readonly columns: number;
}

/** Part of an image, in fractions of its width and height. */
export interface TileBox {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A part of an image that becomes a grid of visual rows, in reading order. */
export interface ImageTile {
  readonly gridRows: number;
  readonly gridColumns: number;
  /** The part of the image that it shows. */
  readonly box: TileBox;
  /** Its last column holds no patches but ends the lines. */
  readonly endsLines?: boolean;
}

/** How an image is cut for its model; determines its prompt and its overlay. */
export interface ImageGeometry {
  readonly grid: TileGrid;
  /** In prompt order. */
  readonly tiles: readonly ImageTile[];
}

export interface PromptImage extends ImageGeometry, Framed {
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
  /**
   * The text that replaces the placeholder: one image token per visual row, with the markup around
   * them.
   */
  expand(image: ImageGeometry): string;
  /** Of videos that the template writes itself; absent: frames are images between texts. */
  readonly video?: VideoMarkup;
  /** The texts around a video's frames, one more than there are frames; default: a frame's time before it. */
  frameTexts?(frames: readonly Framed[]): readonly string[];
}

/** A model family's notation of the frames of a video. */
export interface VideoMarkup {
  /** The chat template's placeholder for a video. */
  readonly placeholder: string;
  /** As `ImageMarkup.expand`, with the frames' times where the family writes them. */
  expand(frames: readonly PromptImage[]): string;
}

type Parts = ChatMessage["content"];

/** Older templates of the same family may know images alone. */
function writesVideos(tokenizer: Tokenizer, markup: ImageMarkup | undefined): boolean {
  if (!markup?.video) return false;
  try {
    const content = [{ type: "video" }, { type: "text", text: "?" }] as const;
    return tokenizer.render([{ role: "user", content }]).includes(markup.video.placeholder);
  } catch {
    return false; // the check of the whole prompt says what is wrong with the template
  }
}

function timesBefore(frames: readonly Framed[]): readonly string[] {
  const times = frames.map(({ frame }) => `Frame at ${minutesAndSeconds(frame?.seconds ?? 0)}: `);
  return [...times, ""];
}

/** What stands in the place of each placeholder, in order. */
function piecesOf(
  images: readonly PromptImage[],
  { placeholder, expand, video }: ImageMarkup,
  writesVideos: boolean,
) {
  return clipsOf(images).flatMap(({ first, count, isVideo }) => {
    const own = images.slice(first, first + count);
    if (!isVideo || !video || !writesVideos)
      return own.map((image) => ({ placeholder, expanded: expand(image) }));
    return [{ placeholder: video.placeholder, expanded: video.expand(own) }];
  });
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
    for (const [index, turn] of turns.entries()) {
      turnStarts.push(ids.length);
      const text = this.#text(turns.slice(0, index + 1));
      const written = text
        .split(BREAK)
        .flatMap((part, i) =>
          index + i === 0 ? this.#tokenizer.encode(part) : this.#tokenizer.encodeRest(part),
        );
      const added = index === 0 ? [...this.#prefix(written), ...written] : written;
      // A turn that ended by its stop token has it already; any other gets it with the next text.
      const isClosed = this.#stopIds.has(ids.at(-1) ?? -1) && this.#stopIds.has(added[0] ?? -1);
      const own = isClosed && index > 0 ? added.slice(1) : added;
      tiles.push(...this.#tiles(turn.images, own, ids.length));
      for (const id of own) ids.push(id);
      for (const id of turn.answerIds ?? []) ids.push(id);
    }
    return { ids, turnStarts, tiles };
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

  /** What the last of `turns` adds to the prompt, from the end of the answer before it. */
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

  #withImages(text: string, turn: PromptTurn | undefined): string {
    const markup = this.#markup;
    const pieces = markup ? piecesOf(turn?.images ?? [], markup, this.#writesVideos) : [];
    const placeholders = [markup?.placeholder, markup?.video?.placeholder].flatMap((x) => x ?? []);
    const places = placeholders.reduce((sum, each) => sum + text.split(each).length - 1, 0);
    const wrong = `The model's chat template places ${places} of ${pieces.length} images.`;
    if (places !== pieces.length) throw new PromptError(wrong);
    let [written, rest] = ["", text];
    for (const { placeholder, expanded } of pieces) {
      const at = rest.indexOf(placeholder);
      if (at < 0) throw new PromptError(wrong);
      written += rest.slice(0, at) + expanded;
      rest = rest.slice(at + placeholder.length);
    }
    return written + rest;
  }

  /**
   * Locations of the visual rows of a turn's images. `ids` are the turn's token ids, from position
   * `offset` on: an image token among generated ids is never taken for a row.
   */
  #tiles(images: readonly PromptImage[], ids: readonly number[], offset: number): PromptTile[] {
    const imageTokenId = this.#markup?.imageTokenId ?? -1;
    const tiles: PromptTile[] = [];
    let from = 0;
    for (const image of images) {
      for (const [tile, { gridRows, gridColumns }] of image.tiles.entries()) {
        const count = gridRows * gridColumns;
        const start = ids.indexOf(imageTokenId, from);
        from = start + count;
        if (start < 0 || ids[from - 1] !== imageTokenId) {
          throw new PromptError("The model's tokenizer does not keep its image tokens apart.");
        }
        tiles.push({ image: image.key, tile, start: offset + start, count });
      }
    }
    return tiles;
  }
}
