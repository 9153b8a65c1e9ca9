import { EngineError, type FailureCode } from "@/protocol/engine";
import { checkImageFile } from "./file";
import { resample } from "./resample";

/** An image as the processor takes it: opaque, turned upright, scaled. */
export interface DecodedImage {
  /** RGBA, [height, width, 4]. */
  readonly pixels: ImageData;
  /** Size of the image as decoded and turned, before scaling. */
  readonly width: number;
  readonly height: number;
  readonly notices: readonly string[];
}

/** Source pixels per scaled pixel and axis that the scaling filter is given at most. */
const DETAIL = 4;

/**
 * Decodes an image: EXIF rotation applied, transparency on white, the first frame of an animation,
 * scaled to what `sizeFor` asks for.
 * @throws EngineError `badImage` or `imageTooLarge`, the latter before anything is decoded.
 */
export async function decodeImage(
  blob: Blob,
  sizeFor: (width: number, height: number) => readonly [width: number, height: number],
): Promise<DecodedImage> {
  const isAnimated = checkImageFile(new Uint8Array(await blob.arrayBuffer()));
  const bitmap = await decode(blob);
  try {
    const { width, height } = bitmap;
    const [fitWidth, fitHeight] = sizeFor(width, height);
    const notices = isAnimated ? ["The image is animated: its first frame was used."] : [];
    return { pixels: draw(bitmap, fitWidth, fitHeight), width, height, notices };
  } finally {
    bitmap.close();
  }
}

async function decode(blob: Blob): Promise<ImageBitmap> {
  try {
    return await createImageBitmap(blob, { imageOrientation: "from-image" });
  } catch (cause) {
    throw refuse("badImage", "The image file is damaged: the browser cannot decode it.", cause);
  }
}

/**
 * The image on white, scaled by a Lanczos filter. What is far too large is first brought down by
 * the canvas, which is fast, to a size from which the filter still sees every detail it needs.
 */
function draw(bitmap: ImageBitmap, width: number, height: number): ImageData {
  const canvas = new OffscreenCanvas(
    Math.min(bitmap.width, width * DETAIL),
    Math.min(bitmap.height, height * DETAIL),
  );
  // Read back at once, so a canvas on the GPU would only cost a copy.
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) throw refuse("outOfMemory", "The browser has no memory left for this image.");
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  const drawn = context.getImageData(0, 0, canvas.width, canvas.height);
  if (drawn.width === width && drawn.height === height) return drawn;
  const pixels = resample(drawn.data, [drawn.width, drawn.height], [width, height]);
  return new ImageData(pixels, width, height);
}

function refuse(code: FailureCode, message: string, cause?: unknown): EngineError {
  return new EngineError({ code, message, action: "chooseImage" }, { cause });
}
