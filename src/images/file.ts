import { readImageHeader } from "./header";
import { ImageError } from "./imageError";
import type { ImageFormat, ImageHeader, Orientation } from "./types";

export const MAX_MEGAPIXELS = 64;

const TYPES: Readonly<Record<ImageFormat, string>> = {
  PNG: "image/png",
  JPEG: "image/jpeg",
  GIF: "image/gif",
  WebP: "image/webp",
  AVIF: "image/avif",
  BMP: "image/bmp",
  HEIC: "image/heic",
};

/** An image file that a decoder accepts and a page can show. */
export interface ImageFile {
  /** Its type is the header's, regardless of the file's name. Repaired if necessary. */
  readonly blob: Blob;
  readonly isAnimated: boolean;
  /** Orientation still to be applied to the decoded pixels: browsers do not apply WebP's. */
  readonly orientation: Orientation;
}

/**
 * Refuses files that are not images from their bytes alone, before decoding. The page calls it when
 * a file is chosen, and the engine when it is used. The page scales very large images down before
 * the engine gets them, so it allows more pixels.
 *
 * @param name the file's name in messages
 * @throws ImageError `badImage`, `imageTooLarge`
 */
export async function openImageFile(
  given: Blob,
  name = "The image file",
  maxMegapixels = MAX_MEGAPIXELS,
): Promise<ImageFile> {
  const bytes = new Uint8Array(await given.arrayBuffer());
  const header = checkImageFile(bytes, name, maxMegapixels);
  const type = TYPES[header.format];
  const repaired = repair(bytes, header);
  const isSame = repaired === bytes && given.type === type;
  return {
    blob: isSame ? given : new Blob(repaired === bytes ? [given] : [repaired], { type }),
    isAnimated: header.isAnimated,
    orientation: header.orientation?.value ?? 1,
  };
}

/** @throws ImageError `badImage`, `imageTooLarge` */
function checkImageFile(bytes: Uint8Array, name: string, maxMegapixels: number): ImageHeader {
  if (bytes.length === 0) throw new ImageError({ kind: "emptyFile" }, `${name} is empty.`);
  const header = readImageHeader(bytes);
  const formats = "PNG, JPEG, GIF, WebP, AVIF or BMP";
  if (!header) {
    const message = `${name} is not an image that can be read here (${formats}).`;
    throw new ImageError({ kind: "noImage" }, message);
  }
  const { format, width, height, isTruncated } = header;
  if (format === "HEIC") {
    const message = `${name} is a HEIC image, which browsers do not read. Save it as JPEG or PNG.`;
    throw new ImageError({ kind: "heic" }, message);
  }
  const megapixels = (width * height) / 1e6;
  if (megapixels > maxMegapixels) {
    const size = `${Math.round(megapixels)} megapixels (${width} × ${height})`;
    const problem = { kind: "megapixels", width, height, most: maxMegapixels } as const;
    throw new ImageError(problem, `${name} has ${size}; ${maxMegapixels} are the limit.`);
  }
  if (isTruncated) {
    throw new ImageError({ kind: "truncated", format }, `${name} is truncated (${format}).`);
  }
  if (width === 0 || height === 0) {
    throw new ImageError({ kind: "noPixels", format }, `${name} has no pixels (${format}).`);
  }
  return header;
}

/** The file with its end marker, and without an orientation that only some browsers apply. */
function repair(
  bytes: Uint8Array<ArrayBuffer>,
  { missingEnd, orientation }: ImageHeader,
): Uint8Array<ArrayBuffer> {
  if (missingEnd !== undefined) return withEnd(bytes, missingEnd);
  if (!orientation) return bytes;
  const upright = bytes.slice();
  new DataView(upright.buffer).setUint16(orientation.offset, 1, orientation.isLittleEndian);
  return upright;
}

function withEnd(bytes: Uint8Array, end: number): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(end + 2);
  whole.set(bytes.subarray(0, end));
  whole.set([0xff, 0xd9], end);
  return whole;
}
