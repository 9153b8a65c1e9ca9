import { type EngineFailure, toFailure } from "@/protocol/engine";
import { checkImageFile } from "@/protocol/imageFile";
import type { Picture } from "./conversation";

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
  try {
    checkImageFile(new Uint8Array(await blob.arrayBuffer()), named);
  } catch (error) {
    return { ok: false, failure: toFailure(error) };
  }
  const url = URL.createObjectURL(blob);
  const size = await decodedSize(url);
  if (!size) {
    URL.revokeObjectURL(url);
    const message = `${named} is damaged: this browser cannot decode it.`;
    return { ok: false, failure: { code: "badImage", message, action: "chooseImage" } };
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
