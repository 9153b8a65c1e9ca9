import { EngineError, type FailureCode } from "@/protocol/engine";
import { readImageHeader } from "./header";

export const MAX_MEGAPIXELS = 64;

/**
 * Refuses what cannot be an image, from its bytes alone, before anything decodes them. The page asks
 * when a file is chosen and the engine when it is used: one rule, one set of sentences. The page, which
 * scales very large images down before the engine sees them, allows more pixels.
 *
 * @param name how the sentences call the file
 * @returns whether the image is animated
 * @throws EngineError `badImage`, `imageTooLarge`
 */
export function checkImageFile(
  bytes: Uint8Array,
  name = "The image file",
  maxMegapixels = MAX_MEGAPIXELS,
): boolean {
  if (bytes.length === 0) throw refuse("badImage", `${name} is empty.`);
  const header = readImageHeader(bytes);
  if (!header) {
    const formats = "PNG, JPEG, GIF, WebP, AVIF or BMP";
    throw refuse("badImage", `${name} is not an image that can be read here (${formats}).`);
  }
  const { format, width, height, isAnimated, isTruncated } = header;
  const megapixels = (width * height) / 1e6;
  if (megapixels > maxMegapixels) {
    const size = `${Math.round(megapixels)} megapixels (${width} × ${height})`;
    throw refuse("imageTooLarge", `${name} has ${size}; ${maxMegapixels} are the most.`);
  }
  if (isTruncated) throw refuse("badImage", `${name} is cut off before its end (${format}).`);
  if (width === 0 || height === 0) throw refuse("badImage", `${name} has no pixels (${format}).`);
  return isAnimated;
}

function refuse(code: FailureCode, message: string): EngineError {
  return new EngineError({ code, message, action: "chooseImage" });
}
