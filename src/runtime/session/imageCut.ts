import type { ImageProcessor } from "@/model/families/family";
import { clipsOf, type Framed } from "@/model/prompt/clips";

/** How an image of a turn is cut: by which processor, beside how many others. */
export interface ImageCut {
  readonly processor: ImageProcessor;
  readonly turnImages: number;
  /** Other for every way in which this image may be cut. */
  readonly mark: string;
}

/**
 * Frames of a video are cut by the family's processor for frames, if it has one, and are then no images
 * beside which others stand.
 * @param images of the turn @param at the image's place among them
 */
export function cutOf(processor: ImageProcessor, images: readonly Framed[], at: number): ImageCut {
  const clip = clipsOf(images).find(({ first, count }) => first <= at && at < first + count);
  if (processor.frames && images[at]?.frame && clip) {
    const isLast = at === clip.first + clip.count - 1;
    const mark = isLast ? " last frame" : " frame";
    return { processor: processor.frames(isLast), turnImages: 1, mark };
  }
  const turnImages = images.filter(({ frame }) => !processor.frames || !frame).length;
  const isAlone = turnImages === 1 || !processor.countsTurnImages;
  return { processor, turnImages, mark: isAlone ? "" : " beside others" };
}
