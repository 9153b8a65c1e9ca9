import { type ImageFile, MAX_MEGAPIXELS, openImageFile } from "./file";
import { ImageError } from "./imageError";
import { type ResampleFilter, resample } from "./resample";
import type { Orientation } from "./types";

/** An image for the processor: opaque, upright, scaled. */
export interface DecodedImage {
  /** RGBA, [height, width, 4]. */
  readonly pixels: ImageData;
  /** Size after decoding and EXIF rotation, before scaling. */
  readonly width: number;
  readonly height: number;
  readonly notices: readonly { readonly code: "firstFrame" | "blankImage" }[];
}

/** Difference of a channel, of 255, that compression may leave in an image of one colour. */
const BLANK_RANGE = 8;

/** Largest number of source pixels per scaled pixel and axis for the scaling filter. */
const DETAIL = 4;

/**
 * Decodes an image: applies EXIF rotation, composites transparency on white, takes the first frame
 * of an animation, and scales to the size that `sizeFor` returns.
 * @throws ImageError `badImage` or `imageTooLarge`, the latter before anything is decoded
 */
export async function decodeImage(
  blob: Blob,
  sizeFor: (width: number, height: number) => readonly [width: number, height: number],
  filter: ResampleFilter = "lanczos",
): Promise<DecodedImage> {
  const file = await openImageFile(blob);
  const bitmap = await decodeUpright(file);
  try {
    const { width, height } = bitmap;
    const [fitWidth, fitHeight] = sizeFor(width, height);
    if (fitWidth * fitHeight > MAX_MEGAPIXELS * 1e6) {
      const size = { width: fitWidth, height: fitHeight, most: MAX_MEGAPIXELS };
      const message = `The image is too long: scaled for this model it has ${fitWidth} × ${fitHeight} pixels.`;
      throw new ImageError({ kind: "megapixels", ...size }, message);
    }
    const pixels = draw(bitmap, fitWidth, fitHeight, filter);
    const notices = [
      ...(file.isAnimated ? [{ code: "firstFrame" as const }] : []),
      ...(isBlank(pixels.data) ? [{ code: "blankImage" as const }] : []),
    ];
    return { pixels, width, height, notices };
  } finally {
    bitmap.close();
  }
}

/** Whether all pixels have nearly the same colour. @param data RGBA */
export function isBlank(data: ArrayLike<number>): boolean {
  const least = [255, 255, 255];
  const most = [0, 0, 0];
  for (let at = 0; at < data.length; at++) {
    const channel = at % 4;
    if (channel === 3) continue;
    const value = data[at]!;
    if (value < least[channel]!) least[channel] = value;
    if (value > most[channel]!) most[channel] = value;
    if (most[channel]! - least[channel]! > BLANK_RANGE) return false;
  }
  return true;
}

/**
 * The file's pixels, turned upright.
 * @param name the file's name in messages
 * @throws ImageError `badImage` if the browser cannot decode it
 */
export async function decodeUpright(
  { blob, orientation }: ImageFile,
  name = "The image file",
): Promise<ImageBitmap> {
  const bitmap = await createImageBitmap(blob, { imageOrientation: "from-image" }).catch(
    (cause: unknown) => {
      const message = `${name} is damaged: this browser cannot decode it.`;
      throw new ImageError({ kind: "damaged" }, message, { cause });
    },
  );
  if (orientation === 1) return bitmap;
  const { width, height } = bitmap;
  const isOnItsSide = orientation >= 5;
  const canvas = new OffscreenCanvas(isOnItsSide ? height : width, isOnItsSide ? width : height);
  const context = contextOf(canvas);
  context.transform(...turn(orientation, width, height));
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return canvas.transferToImageBitmap();
}

/** The canvas transformation of an EXIF orientation. Width and height: as stored. */
export function turn(
  orientation: Orientation,
  width: number,
  height: number,
): [a: number, b: number, c: number, d: number, e: number, f: number] {
  switch (orientation) {
    case 1:
      return [1, 0, 0, 1, 0, 0];
    case 2:
      return [-1, 0, 0, 1, width, 0];
    case 3:
      return [-1, 0, 0, -1, width, height];
    case 4:
      return [1, 0, 0, -1, 0, height];
    case 5:
      return [0, 1, 1, 0, 0, 0];
    case 6:
      return [0, 1, -1, 0, height, 0];
    case 7:
      return [0, -1, -1, 0, height, width];
    case 8:
      return [0, -1, 1, 0, 0, width];
    default:
      return orientation satisfies never;
  }
}

/**
 * The image on white, scaled by the processor's filter. The canvas first scales down a very large
 * image, which is fast, to a size that preserves the detail that the filter needs.
 */
function draw(
  bitmap: ImageBitmap,
  width: number,
  height: number,
  filter: ResampleFilter,
): ImageData {
  const canvas = new OffscreenCanvas(
    Math.min(bitmap.width, width * DETAIL),
    Math.min(bitmap.height, height * DETAIL),
  );
  const context = contextOf(canvas);
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  const drawn = context.getImageData(0, 0, canvas.width, canvas.height);
  if (drawn.width === width && drawn.height === height) return drawn;
  const pixels = resample(drawn.data, [drawn.width, drawn.height], [width, height], filter);
  return new ImageData(pixels, width, height);
}

/** The pixels are read back at once, so a canvas on the GPU would only add a copy. */
function contextOf(canvas: OffscreenCanvas): OffscreenCanvasRenderingContext2D {
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (context) return context;
  throw new ImageError({ kind: "imageMemory" }, "The browser has no memory left for this image.");
}
