import type { ImagePrice, ImageSize } from "@/protocol/engine";
import type { LoadedModel } from "./loadedModel";

/**
 * What an image adds to the prompt of a first turn: the difference of two prompts.
 * @throws ImageError, PromptError; RangeError for a model that takes no images
 */
export function priceImage(
  { vision, prompts, info }: Pick<LoadedModel, "vision" | "prompts" | "info">,
  { width, height }: ImageSize,
  turnImages: number,
): ImagePrice {
  if (!vision) throw new RangeError("this model takes no images");
  const { processor } = vision;
  const [fitWidth, fitHeight] = processor.sizeFor(width, height);
  const geometry = processor.geometry({ width: fitWidth, height: fitHeight }, turnImages);
  const tokensWith = (count: number) => {
    const images = Array.from({ length: count }, () => ({ key: "image", ...geometry }));
    return prompts.build([{ images, question: "?" }]).ids.length;
  };
  const tokens = tokensWith(1) - tokensWith(0);
  return { tokens, kvBytes: tokens * info.bytesPerRow };
}
