import { decodeUpright } from "@/images/decode";
import { type ImageFile, openImageFile } from "@/images/file";
import { ImageError } from "@/images/imageError";
import { texts } from "@/language/language";
import type { EngineFailure } from "@/protocol/failure";
import { formatCount, formatMegabytes } from "@/text/format";
import { shown } from "@/text/shown";
import type { ConversationImage } from "../conversation/conversation";

/** Longest side of a stored image in pixels; larger images are scaled down first. */
const MAX_SIDE = 4096;
/** Largest file in bytes that is stored unchanged; a larger one is encoded again. */
const MAX_KEPT_BYTES = 16e6;
/** Largest file in bytes that is read. */
export const MAX_FILE_BYTES = 256e6;
/** Largest image in megapixels that is scaled down; the engine accepts fewer. */
const MAX_SCALED_MEGAPIXELS = 128;

export type ImageOutcome =
  | { readonly ok: true; readonly image: ConversationImage; readonly notice?: string }
  | { readonly ok: false; readonly failure: EngineFailure };

export interface ImageSource {
  readonly id: string;
  readonly title: string;
  readonly alt?: string;
  readonly sampleId?: string;
}

interface Size {
  readonly width: number;
  readonly height: number;
}

/**
 * Checks that a file is an image that this browser can decode, and scales very large images down to
 * `MAX_SIDE`, upright, for the library and the engine. A stored image has the type of its own
 * header, so that a file named as an image cannot become a document of this page's origin.
 */
export async function readImage(blob: Blob, source: ImageSource): Promise<ImageOutcome> {
  const words = texts.viewer.read;
  const named = source.title ? words.named(shown(source.title)) : words.unnamed;
  try {
    if (blob.size > MAX_FILE_BYTES) return refuse(tooManyBytes(named, blob.size));
    const file = await openImageFile(blob, named, MAX_SCALED_MEGAPIXELS);
    const size = await shownSize(file);
    const kept = size && (await keep(file, size, named));
    if (!kept) return refuse(words.damaged(named));
    const { sampleId } = source;
    const image: ConversationImage = {
      id: source.id,
      title: source.title,
      alt: source.alt ?? source.title,
      blob: kept.blob,
      url: URL.createObjectURL(kept.blob),
      width: kept.size.width,
      height: kept.size.height,
      ...(sampleId === undefined ? {} : { sampleId }),
    };
    return {
      ok: true,
      image,
      ...(kept.isUnchanged ? {} : { notice: storedAgain(named, size, kept) }),
    };
  } catch (error) {
    if (error instanceof ImageError) {
      const { code, problem } = error;
      const message = texts.failures.reason(problem, named) ?? error.message;
      return { ok: false, failure: { code, message, action: "chooseImage" } };
    }
    return refuse(words.unreadable(named));
  }
}

/** The size of a stored image: its own, or scaled so that the longest side fits. */
export function storedSize({ width, height }: Size): Size {
  const scale = Math.min(1, MAX_SIDE / Math.max(width, height));
  const fitted = (pixels: number) => Math.max(1, Math.round(pixels * scale));
  return { width: fitted(width), height: fitted(height) };
}

interface Kept {
  readonly blob: Blob;
  readonly size: Size;
  readonly isUnchanged: boolean;
}

/** The file's bytes if it is small enough and upright, otherwise a new file with its pixels. */
async function keep(file: ImageFile, own: Size, named: string): Promise<Kept | undefined> {
  const { blob, orientation } = file;
  const size = storedSize(own);
  const isSmall = size.width === own.width && size.height === own.height;
  if (isSmall && blob.size <= MAX_KEPT_BYTES && orientation === 1) {
    (await decodeUpright(file, named)).close();
    // A copy: the file may be deleted from the disk before a later question, as one dragged out of an archive is.
    const copy = new Blob([await blob.arrayBuffer()], { type: blob.type });
    return { blob: copy, size, isUnchanged: true };
  }
  const bitmap = orientation === 1 ? await scaledTo(blob, size) : await decodeUpright(file, named);
  if (!bitmap) return undefined;
  const canvas = new OffscreenCanvas(size.width, size.height);
  canvas.getContext("2d")?.drawImage(bitmap, 0, 0, size.width, size.height);
  bitmap.close();
  // Photographs stay JPEG. WebP keeps transparency; a browser that cannot write it writes PNG.
  const type = blob.type === "image/jpeg" ? "image/jpeg" : "image/webp";
  const written = await canvas.convertToBlob({ type, quality: 0.92 });
  return { blob: written, size, isUnchanged: false };
}

/** Decoded and scaled at once, which needs less memory. */
function scaledTo(blob: Blob, { width, height }: Size): Promise<ImageBitmap | undefined> {
  return createImageBitmap(blob, {
    imageOrientation: "from-image",
    resizeWidth: width,
    resizeHeight: height,
    resizeQuality: "high",
  }).catch(() => undefined);
}

/** Size after EXIF rotation, from the header alone; undefined if it is not an image. */
async function shownSize({ blob, orientation }: ImageFile): Promise<Size | undefined> {
  const shown = await withImage(
    blob,
    (image) =>
      new Promise<Size | undefined>((resolve) => {
        image.onload = () => resolve({ width: image.naturalWidth, height: image.naturalHeight });
        image.onerror = () => resolve(undefined);
      }),
  );
  return shown && orientation >= 5 ? { width: shown.height, height: shown.width } : shown;
}

async function withImage<T>(blob: Blob, use: (image: HTMLImageElement) => Promise<T>): Promise<T> {
  const image = new Image();
  const url = URL.createObjectURL(blob);
  try {
    image.src = url;
    return await use(image);
  } finally {
    URL.revokeObjectURL(url);
  }
}

function storedAgain(named: string, from: Size, { size }: { readonly size: Size }): string {
  const written = ({ width, height }: Size) => `${formatCount(width)} × ${formatCount(height)}`;
  if (size.width === from.width) return texts.viewer.read.storedAgain(named, written(size));
  return texts.viewer.read.scaled(named, written(from), written(size));
}

function tooManyBytes(named: string, bytes: number): string {
  return texts.viewer.read.tooLarge(named, formatMegabytes(bytes), formatMegabytes(MAX_FILE_BYTES));
}

function refuse(message: string): ImageOutcome {
  return { ok: false, failure: { code: "badImage", message, action: "chooseImage" } };
}
