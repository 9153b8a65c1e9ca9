import { clipsOf } from "./clips";
import type { ImageMarkup, PromptImage } from "./imageMarkup";
import { PromptError } from "./promptError";
import type { Tokenizer } from "./tokenizer";

/** Older templates of the same family may know images alone. */
export function writesVideos(tokenizer: Tokenizer, markup: ImageMarkup | undefined): boolean {
  if (!markup?.video) return false;
  try {
    const content = [{ type: "video" }, { type: "text", text: "?" }] as const;
    return tokenizer.render([{ role: "user", content }]).includes(markup.video.placeholder);
  } catch {
    return false; // the check of the whole prompt says what is wrong with the template
  }
}

/** What stands in the place of a placeholder. */
interface Piece {
  readonly placeholder: string;
  readonly expanded: string;
  /** Of the turn: one image, or the frames of a video. */
  readonly images: readonly number[];
}

/** In the turn's order. */
export function piecesOf(
  images: readonly PromptImage[],
  { placeholder, expand, video }: ImageMarkup,
  writesVideos: boolean,
): readonly Piece[] {
  return clipsOf(images).flatMap(({ first, count, isVideo }): readonly Piece[] => {
    const own = images.slice(first, first + count);
    const places = own.map((_, i) => first + i);
    if (!isVideo || !video || !writesVideos)
      return own.map((image, i) => ({ placeholder, expanded: expand(image), images: [first + i] }));
    return [{ placeholder: video.placeholder, expanded: video.expand(own), images: places }];
  });
}

/** A turn's text, and its images in the order in which they stand there. */
export interface WrittenTurn {
  readonly text: string;
  readonly order: readonly number[];
}

/**
 * Writes pieces in the places of their placeholders: those of one placeholder in their order.
 * @throws PromptError unless there is one place for each
 */
export function writePieces(
  text: string,
  pieces: readonly Piece[],
  placeholders: readonly string[],
): WrittenTurn {
  const places = placeholders
    .flatMap((placeholder) => placesOf(text, placeholder).map((at) => ({ at, placeholder })))
    .sort((a, b) => a.at - b.at);
  const left = [...pieces];
  const order: number[] = [];
  let [written, end] = ["", 0];
  for (const { at, placeholder } of places) {
    const next = left.findIndex((piece) => piece.placeholder === placeholder);
    const [piece] = next < 0 ? [] : left.splice(next, 1);
    written += text.slice(end, at) + (piece?.expanded ?? "");
    end = at + placeholder.length;
    order.push(...(piece?.images ?? []));
  }
  if (places.length === pieces.length && left.length === 0) {
    return { text: written + text.slice(end), order };
  }
  const counts = `${places.length} of ${pieces.length} images`;
  throw new PromptError(`The model's chat template places ${counts}.`);
}

function placesOf(text: string, placeholder: string): number[] {
  const parts = text.split(placeholder).slice(0, -1);
  let end = -placeholder.length;
  return parts.map((part) => {
    end += placeholder.length + part.length;
    return end;
  });
}
