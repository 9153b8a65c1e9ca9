import type { ImagePrice, PricedImage } from "@/protocol/model";
import type { LoadedModel } from "../load/loadedModel";
import { cutOf, patchFrame, temporalPatches } from "./imageCut";

/**
 * What images add to the prompt of a first turn: the difference of two prompts.
 * @throws ImageError, PromptError; RangeError for a model that takes no images
 */
export function priceImages(
  { vision, prompts, info }: Pick<LoadedModel, "vision" | "prompts" | "info">,
  images: readonly PricedImage[],
): ImagePrice {
  if (!vision) throw new RangeError("this model takes no images");
  const shown = temporalPatches(vision.processor, images).map((patch) => {
    const { width, height } = images[patch.first] as PricedImage;
    const { processor, turnImages } = cutOf(vision.processor, images, patch.first);
    const [fitWidth, fitHeight] = processor.sizeFor(width, height);
    const geometry = processor.geometry({ width: fitWidth, height: fitHeight }, turnImages);
    return { key: "image", ...geometry, ...patchFrame(images, patch) };
  });
  const tokensOf = (given: typeof shown) =>
    prompts.build([{ images: given, question: "?" }]).ids.length;
  const tokens = tokensOf(shown) - tokensOf([]);
  return { tokens, kvBytes: tokens * info.bytesPerRow };
}
