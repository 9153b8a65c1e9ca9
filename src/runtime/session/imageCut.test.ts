import { expect, it } from "vitest";
import type { FramePlace, ImageProcessor } from "@/model/families/family";
import { cutOf, patchFrame, temporalPatches } from "./imageCut";

const marked = ({ at, count }: FramePlace) => ({ mark: ` ${at} of ${count}` }) as ImageProcessor;
const processor = {
  countsTurnImages: true,
  frames: marked,
  temporalPatchSize: 2,
} as unknown as ImageProcessor;
const frame = (seconds: number, video = "a") => ({ frame: { video, seconds, duration: 9 } });

it("counts no frames of a video among the images that stand beside one another", () => {
  const images = [frame(0), frame(1), {}];
  expect(cutOf(processor, images, 0)).toMatchObject({ turnImages: 1, mark: " frame 0 of 2" });
  expect(cutOf(processor, images, 1)).toMatchObject({ turnImages: 1, mark: " frame 1 of 2" });
  expect(cutOf(processor, images, 2)).toEqual({ processor, turnImages: 1, mark: "" });
  expect(cutOf(processor, [...images, {}], 2)).toMatchObject({ turnImages: 2 });
});

it("takes frames of one video together, as many as the family does, at their mean time", () => {
  const images = [{}, frame(0), frame(1), frame(2), frame(5, "b"), {}];
  const patches = temporalPatches(processor, images);
  expect(patches.map(({ first, count }) => [first, count])).toEqual([
    ...[[0, 1]],
    ...[
      [1, 2],
      [3, 1],
    ],
    ...[
      [4, 1],
      [5, 1],
    ],
  ]);
  expect(patches.map((patch) => patchFrame(images, patch).frame?.seconds)).toEqual([
    ...[undefined, 0.5, 2, 5, undefined],
  ]);
  expect(temporalPatches({ ...processor, temporalPatchSize: 1 }, images)).toHaveLength(6);
});
