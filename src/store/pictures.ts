import type { EngineFailure } from "@/protocol/engine";
import type { Picture } from "./conversation";
import { imageSize } from "./imageHeader";

/** Pictures above this many pixels are refused before anything decodes them. */
const MAX_PIXELS = 64e6;

export type PictureOutcome =
  | { readonly ok: true; readonly picture: Picture }
  | { readonly ok: false; readonly failure: EngineFailure };

export interface PictureSource {
  readonly id: string;
  readonly title: string;
  readonly alt?: string;
  readonly sampleId?: string;
}

/** Checks that a file is an image that this browser shows; the engine still has the last word. */
export async function readPicture(blob: Blob, source: PictureSource): Promise<PictureOutcome> {
  const named = source.title ? `“${source.title}”` : "This file";
  if (blob.size === 0) return refuse("badImage", `${named} is empty: 0 bytes.`);
  const header = imageSize(new Uint8Array(await blob.slice(0, 65_536).arrayBuffer()));
  if (header && header.width * header.height > MAX_PIXELS) {
    const megapixels = Math.round((header.width * header.height) / 1e6);
    return refuse(
      "imageTooLarge",
      `${named} has ${megapixels} megapixels (${header.width} × ${header.height}); 64 is the most.`,
    );
  }
  const url = URL.createObjectURL(blob);
  const size = await decodedSize(url);
  if (!size) {
    URL.revokeObjectURL(url);
    const reason = header ? "is cut off or damaged" : "is not an image that this browser can read";
    return refuse("badImage", `${named} ${reason}.`);
  }
  const { sampleId } = source;
  return {
    ok: true,
    picture: {
      id: source.id,
      title: source.title,
      alt: source.alt ?? source.title,
      blob,
      url,
      ...size,
      ...(sampleId === undefined ? {} : { sampleId }),
    },
  };
}

function refuse(code: "badImage" | "imageTooLarge", message: string): PictureOutcome {
  return { ok: false, failure: { code, message, action: "chooseImage" } };
}

/** Size as shown, EXIF rotation applied; undefined when the browser cannot decode it. */
async function decodedSize(url: string): Promise<{ width: number; height: number } | undefined> {
  const image = new Image();
  image.src = url;
  try {
    await image.decode();
    return { width: image.naturalWidth, height: image.naturalHeight };
  } catch {
    return undefined;
  }
}
