import type { Framed } from "./clips";

/** Tiles that an image was cut into; 0 × 0 if it is not cut. */
export interface TileGrid {
  readonly rows: number;
  readonly columns: number;
}

/** Part of an image, in fractions of its width and height. */
interface TileBox {
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
  /** Of a temporal patch: positions in time behind the first of its video, where a family counts them. */
  readonly time?: number;
}

export interface PromptImage extends ImageGeometry, Framed {
  /** Identifies the image; equal keys in two turns mean the same image. */
  readonly key: string;
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
  /** Of a row; default: as an image's. */
  readonly tokenId?: number;
  /** As `ImageMarkup.expand`, with the frames' times where the family writes them. */
  expand(frames: readonly PromptImage[]): string;
}
