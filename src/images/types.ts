export type ImageFormat = "PNG" | "JPEG" | "GIF" | "WebP" | "AVIF" | "BMP" | "HEIC";

/** An EXIF orientation. 1: upright. */
export type Orientation = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

/** The properties of an image file that are known before decoding. */
export interface ImageHeader {
  readonly format: ImageFormat;
  /** Pixels, before any EXIF rotation. */
  readonly width: number;
  readonly height: number;
  readonly isAnimated: boolean;
  /** The file certainly ends before the image does. If that is uncertain, the decoder decides. */
  readonly isTruncated: boolean;
  /** JPEG: offset at which a missing end marker belongs. */
  readonly missingEnd?: number;
  /** WebP: offset and value of the EXIF orientation, which not all browsers apply. */
  readonly orientation?: OrientationTag;
}

export interface OrientationTag {
  readonly value: Orientation;
  /** Offset of the 16-bit value in the file. */
  readonly offset: number;
  readonly isLittleEndian: boolean;
}

export function ascii(file: DataView, offset: number, length: number): string {
  const end = Math.min(offset + length, file.byteLength);
  let text = "";
  for (let i = offset; i < end; i++) text += String.fromCharCode(file.getUint8(i));
  return text;
}
