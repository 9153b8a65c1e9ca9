import fs from "node:fs";
import { expect, it } from "vitest";
import { FAMILY_FIXTURES } from "../../../../test/families";
import { mostPixels } from "../../vision/grid/gridConfig";
import { byCount, bySeconds, QwenVlFrames, type VideoRules } from "./frames";
import { QwenVlProcessor } from "./processor";
import { fittingSize, fittingVideo } from "./size";

/** What `reference/make_qwen_video_fixture.py` recorded. */
const { sizes: recordedSizes } = JSON.parse(
  fs.readFileSync(`${FAMILY_FIXTURES}/qwen-video.json`, "utf8"),
);
const LIMITS = { fewest: 3136, most: 1_003_520 };

// Sizes of smart_resize of transformers 5.18 with a factor of 28.
it.each([
  [
    [70, 98],
    [56, 112],
  ],
  [
    [42, 126],
    [56, 112],
  ],
  [
    [4032, 3024],
    [1148, 840],
  ],
  [
    [1, 100],
    [28, 560],
  ],
  [
    [640, 480],
    [644, 476],
  ],
  [
    [5, 3],
    [84, 56],
  ],
  [
    [10000, 60],
    [9996, 56],
  ],
] as const)("makes an image of %o one of %o", (size, expected) => {
  expect(fittingSize(size, 28, LIMITS)).toEqual(expected);
});

it("makes the frames of a video of the size that Qwen3-VL's rule gives", () => {
  const limits = { fewest: 4096, most: 3_145_728 };
  for (const { width, height, frames, fitting } of recordedSizes) {
    expect(
      fittingVideo([width, height], 32, limits, { count: frames, temporalPatchSize: 2 }),
    ).toEqual(fitting);
  }
  expect(fittingVideo([300, 200], 32, limits, { count: 1, temporalPatchSize: 2 })).toEqual([
    288, 192,
  ]);
});

it("refuses an image that is too long", () => {
  expect(() => fittingSize([201, 1], 28, LIMITS)).toThrow("200 times");
});

it("reads the limits wherever they stand, and refuses other patches", () => {
  const tower = { patchSize: 14, fold: 2, temporalPatchSize: 2 };
  const size = { shortest_edge: 28 * 28, longest_edge: 4 * 28 * 28 };
  expect(new QwenVlProcessor({ size }, tower).sizeFor(1000, 1000)).toEqual([56, 56]);
  const older = { size, max_pixels: 28 * 28 };
  expect(new QwenVlProcessor(older, tower).sizeFor(1000, 1000)).toEqual([28, 28]);
  expect(() => new QwenVlProcessor({ patch_size: 16 }, tower)).toThrow("other patches");
  expect(() => new QwenVlProcessor({ max_pixels: 1 }, tower)).toThrow("limits");
});

it("scales an image down to what the adapter and the context hold, and says so", () => {
  // Qwen2-VL-2B, whose preprocessor_config.json allows 12.8 megapixels.
  const tower = {
    patchSize: 14,
    fold: 2,
    temporalPatchSize: 2,
    hidden: 1280,
    channels: 3,
    width: 1536,
  };
  const config = { min_pixels: 3136, max_pixels: 12_845_056 };
  const most = mostPixels(tower, 2 ** 27, 32_768);
  const small = new QwenVlProcessor(config, tower, most);
  const [width, height] = small.sizeFor(4032, 3024);
  // f32 [patches, 1280] of at most 128 MiB.
  expect(((width * height) / 14 ** 2) * 1280 * 4).toBeLessThanOrEqual(2 ** 27);
  expect(width * height).toBeGreaterThan(5e6);
  const scaledDown = { code: "scaledDown", width, height, ownWidth: 4032, ownHeight: 3024 };
  expect(small.notice(4032, 3024)).toEqual(scaledDown);
  expect(small.notice(800, 600)).toBeUndefined();
  const large = new QwenVlProcessor(config, tower, mostPixels(tower, 2 ** 31, 32_768));
  expect(large.sizeFor(4032, 3024)).toEqual([4032, 3024]);
  expect(large.notice(4032, 3024)).toBeUndefined();
  const short = new QwenVlProcessor(config, tower, mostPixels(tower, 2 ** 31, 1024));
  const [wide, high] = short.sizeFor(4032, 3024);
  expect((wide * high) / 28 ** 2).toBeLessThanOrEqual(768);
});

it("gives a video's frames one size, within what all of them may take, and their time", () => {
  const tower = { patchSize: 14, fold: 2, temporalPatchSize: 2 };
  const config = { min_pixels: 3136, max_pixels: 12_845_056 };
  const place = { at: 4, count: 6, duration: 9 };
  const of = (context: number, rules: VideoRules) => {
    const most = { image: Number.POSITIVE_INFINITY, context };
    return new QwenVlFrames(new QwenVlProcessor(config, tower, most), place, rules);
  };
  const free = of(Number.POSITIVE_INFINITY, { time: byCount, sharesLimits: false });
  expect(free.sizeFor(1280, 720)).toEqual([1288, 728]);
  expect([free.time, free.notice(1280, 720)]).toEqual([2, undefined]);
  const timed = of(2.4e6, { time: bySeconds(2), sharesLimits: false });
  // Three temporal patches share the context; each takes 3 seconds.
  const [width, height] = timed.sizeFor(1280, 720);
  expect(width * height).toBeLessThanOrEqual(8e5);
  expect(timed.notice(1280, 720)).toMatchObject({ width, height, ownWidth: 1288, ownHeight: 728 });
  expect(timed.geometry({ width, height }).time).toBe(12);
  expect(timed.mark).not.toBe(free.mark);
});
