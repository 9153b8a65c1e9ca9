import { expect, it } from "vitest";
import type { ImageProcessor } from "@/model/families/family";
import { cutOf } from "./imageCut";

const frames = { sizeFor: () => [1, 1] } as unknown as ImageProcessor;
const processor = { countsTurnImages: true, frames: () => frames } as unknown as ImageProcessor;
const frame = { frame: { video: "a", seconds: 0, duration: 1 } };

it("counts no frames of a video among the images that stand beside one another", () => {
  const images = [frame, frame, {}];
  expect(cutOf(processor, images, 0)).toMatchObject({ processor: frames, mark: " frame" });
  expect(cutOf(processor, images, 1)).toMatchObject({ processor: frames, mark: " last frame" });
  expect(cutOf(processor, images, 2)).toEqual({ processor, turnImages: 1, mark: "" });
  expect(cutOf(processor, [...images, {}], 2)).toMatchObject({ turnImages: 2 });
});
