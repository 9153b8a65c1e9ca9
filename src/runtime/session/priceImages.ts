import type { ImagePrice, PricedImage } from "@/protocol/model";
import type { LoadedModel } from "../load/loadedModel";
import { cutOf, stepFrame, stepsOf } from "./imageCut";

/**
 * What images add to the prompt of a first turn: the difference of two prompts.
 * @throws ImageError, PromptError; RangeError for a model that takes no images
 */
export function priceImages(
  { vision, prompts, info }: Pick<LoadedModel, "vision" | "prompts" | "info">,
  images: readonly PricedImage[],
): ImagePrice {
  if (!vision) throw new RangeError("this model takes no images");
  const shown = stepsOf(vision.processor, images).map((step) => {
    const { width, height } = images[step.first] as PricedImage;
    const { processor, turnImages } = cutOf(vision.processor, images, step.first);
    const [fitWidth, fitHeight] = processor.sizeFor(width, height);
    const geometry = processor.geometry({ width: fitWidth, height: fitHeight }, turnImages);
    return { key: "image", ...geometry, ...stepFrame(images, step) };
  });
  const tokensOf = (given: typeof shown) =>
    prompts.build([{ images: given, question: "?" }]).ids.length;
  const tokens = tokensOf(shown) - tokensOf([]);
  return { tokens, kvBytes: tokens * info.bytesPerRow };
}
