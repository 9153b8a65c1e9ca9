import type { ImageProcessor } from "@/model/families/family";
import { clipsOf, type Framed } from "@/model/prompt/clips";

/** How an image of a turn is cut: by which processor, beside how many others. */
export interface ImageCut {
  readonly processor: ImageProcessor;
  readonly turnImages: number;
  /** Other for every way in which this image may be cut. */
  readonly mark: string;
}

/** Images of a turn that are encoded as one: an image by itself, or frames of a video. */
export interface TemporalPatch {
  readonly first: number;
  readonly count: number;
}

/** A turn's images as the family takes them, in order. */
export function temporalPatches(
  { temporalPatchSize: most = 1 }: ImageProcessor,
  images: readonly Framed[],
): readonly TemporalPatch[] {
  return clipsOf(images).flatMap(({ first, count }) =>
    Array.from({ length: Math.ceil(count / most) }, (_, patch) => ({
      first: first + patch * most,
      count: Math.min(most, count - patch * most),
    })),
  );
}

/**
 * Frames of a video are cut by the family's processor for frames, if it has one, and are then no images
 * beside which others stand.
 * @param images of the turn @param at the image's place among them
 */
export function cutOf(processor: ImageProcessor, images: readonly Framed[], at: number): ImageCut {
  const clip = clipsOf(images).find(({ first, count }) => first <= at && at < first + count);
  const frame = images[at]?.frame;
  if (processor.frames && frame && clip) {
    const { duration } = frame;
    const frames = processor.frames({ at: at - clip.first, count: clip.count, duration });
    return { processor: frames, turnImages: 1, mark: ` frame${frames.mark ?? ""}` };
  }
  const turnImages = images.filter((image) => !processor.frames || !image.frame).length;
  const isAlone = turnImages === 1 || !processor.countsTurnImages;
  return { processor, turnImages, mark: isAlone ? "" : " beside others" };
}

/** What a temporal patch shows of its video, at the mean of its frames' times. */
export function patchFrame(images: readonly Framed[], { first, count }: TemporalPatch): Framed {
  const frames = images.slice(first, first + count).flatMap(({ frame }) => frame ?? []);
  const [frame] = frames;
  if (!frame) return {};
  const seconds = frames.reduce((sum, each) => sum + each.seconds, 0) / frames.length;
  return { frame: { ...frame, seconds } };
}
