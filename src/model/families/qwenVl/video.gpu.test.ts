import fs from "node:fs";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import type { FeatureSlice } from "@/gpu/kernels/common/embed";
import { GREEDY } from "@/gpu/kernels/sampling/sample";
import { PLAIN } from "@/gpu/variants";
import { diskSource } from "../../../../cli/shared/disk";
import { readPng } from "../../../../cli/shared/png";
import { createTestGpu } from "../../../../test/dawn";
import { FAMILY_FIXTURES, FamilyArrays } from "../../../../test/families";
import { diskFetch, diskUrl } from "../../../../test/files";
import { parseConfig } from "../../checkpoint/config";
import { ModelFiles } from "../../checkpoint/files";
import { loadWeights } from "../../checkpoint/weights";
import { Decoder, promptIds } from "../../decoder/decoder";
import { generate } from "../../decoder/generation";
import { PromptBuilder } from "../../prompt/prompt";
import { Tokenizer } from "../../prompt/tokenizer";
import { featureBuffers } from "../../vision/encoder";
import type { ProcessedImage, Raster } from "../family";
import { openVision } from "../openVision";
import { joinTiles } from "../preprocessor";
import { familyOf } from "../registry";

/** What `reference/make_qwen_video_fixture.py` recorded. */
const recorded: {
  readonly picture: string;
  readonly frames: readonly { left: number; top: number }[];
  readonly seconds: readonly number[];
  readonly duration: number;
  readonly question: string;
  readonly cases: Readonly<
    Record<
      string,
      {
        readonly size: readonly [width: number, height: number];
        readonly inputIds: readonly number[];
        readonly greedyIds: readonly number[];
      }
    >
  >;
} = JSON.parse(fs.readFileSync(`${FAMILY_FIXTURES}/qwen-video.json`, "utf8"));

/** Features and logits against PyTorch in float32. */
const FEATURE_TOLERANCE = 1e-3;
const LOGIT_TOLERANCE = 2e-3;
/** Additions in another order. */
const PIECES_TOLERANCE = 1e-4;

const gpu = await createTestGpu();
afterAll(() => gpu.device.destroy());

describe.each(Object.entries(recorded.cases))("a video in %s", (name, test) => {
  const folder = `${FAMILY_FIXTURES}/${name}`;
  const json = JSON.parse(fs.readFileSync(`${folder}/config.json`, "utf8"));
  const files = new ModelFiles(diskUrl(folder), { fetch: diskFetch });
  const config = parseConfig(json);
  const vision = familyOf(json)!.vision!;
  const opened = openVision(vision, json, config);
  const arrays = new FamilyArrays("qwen-video");
  const release: (() => unknown)[] = [];
  afterEach(async () => {
    for (const end of release.splice(0)) await end();
  });

  it("is seen and answered as by PyTorch", async () => {
    const patches = await temporalPatchesOf(test.size);
    const markup = vision.markup(json.image_token_id, json.video_token_id);
    const prompts = new PromptBuilder(await Tokenizer.load(files), markup, []);
    const { seconds, duration, question } = recorded;
    const times = [(seconds[0]! + seconds[1]!) / 2, seconds[2]!];
    const images = patches.map(({ geometry }, i) => ({
      ...{ key: `${i}`, ...geometry },
      frame: { video: "a", seconds: times[i]!, duration },
    }));
    const { ids, tiles } = prompts.build([{ images, question }]);
    expect(ids).toEqual(test.inputIds);

    const source = diskSource(folder);
    const encoder = await opened.weights.load(gpu, source, PLAIN);
    const weights = await loadWeights(gpu, config, source);
    const decoder = await Decoder.create(gpu, config, weights, { variants: PLAIN, kvType: "f32" });
    release.push(
      () => encoder.release(),
      () => decoder.destroy(),
    );
    const features: FeatureSlice[] = [];
    // Of the last layer, then of each of DeepStack's, all temporal patches.
    const levels: GPUBuffer[][] = [];
    for (const patch of patches) {
      const encoded = await encoder.encode(patch);
      const { buffer, rows, deepstack = [] } = encoded;
      for (const [level, each] of featureBuffers(encoded).entries()) {
        release.push(() => gpu.memory.destroy(each));
        levels[level] = [...(levels[level] ?? []), each];
      }
      const firstRow = features.reduce((sum, slice) => sum + slice.rows, 0);
      features.push({ features: buffer, deepstack, firstRow, rows });
    }
    const [last = [], ...deep] = levels;
    const seen = arrays.floats(`${name}/features`);
    expect(worst(await read(last), seen)).toBeLessThan(FEATURE_TOLERANCE);
    if (deep.length > 0) {
      const stacked = arrays.floats(`${name}/deepstack`);
      expect(worst(await read(deep.flat()), stacked)).toBeLessThan(FEATURE_TOLERANCE);
    }

    const cache = decoder.createCache();
    release.push(() => cache.destroy());
    const grids = tiles.map(({ start }, i) => {
      const { time, tiles: own } = patches[i]!.geometry;
      return { start, ...own[0]!, ...(time !== undefined && { time }) };
    });
    const numbered = promptIds(ids, tiles);
    await decoder.prefill({ cache, ids: numbered, features, grids });
    const axes = [0, 1, 2].flatMap((axis) =>
      ids.map((_, token) => cache.axisPositions(token)[axis]),
    );
    expect(axes).toEqual([...new Int32Array(arrays.bytes(`${name}/positions`).buffer)]);
    const logits = await decoder.logits();
    expect(worst(logits, arrays.floats(`${name}/logits`))).toBeLessThan(LOGIT_TOLERANCE);
    // In two pieces, of which the first ends within a temporal patch and announces both.
    const pieces = decoder.createCache();
    release.push(() => pieces.destroy());
    const cut = tiles[1]!.start + 2;
    for (const part of [numbered.subarray(0, cut), numbered.subarray(cut)]) {
      const announced = pieces.seen === 0 ? { grids } : {};
      await decoder.prefill({ cache: pieces, ids: part, features, ...announced });
    }
    expect(worst(await decoder.logits(), logits)).toBeLessThan(PIECES_TOLERANCE);
    const sampling = GREEDY;
    const tokenIds: number[] = [];
    const answer = generate(decoder, { cache, maxNewTokens: 24, stopIds: [], sampling });
    for await (const { id } of answer) tokenIds.push(id);
    expect(tokenIds).toEqual(test.greedyIds);
  });

  /** Two frames, then one. */
  async function temporalPatchesOf(
    size: readonly [number, number],
  ): Promise<readonly ProcessedImage[]> {
    const processor = await opened.processor(files);
    const { duration } = recorded;
    return [[0, 1], [2]].map((places) => {
      const frames = processor.frames!({ at: places[0]!, count: 3, duration });
      expect(frames.sizeFor(...size)).toEqual(size);
      const parts = places.map((place) => frames.process(frameOf(place, size)));
      return { ...parts[0]!, pixelValues: joinTiles(parts.map((part) => part.pixelValues)) };
    });
  }
});

/** A part of a picture. */
function frameOf(place: number, [width, height]: readonly [number, number]): Raster {
  const { left, top } = recorded.frames[place]!;
  const whole = readPng(`${FAMILY_FIXTURES}/pictures/${recorded.picture}.png`);
  const data = new Uint8ClampedArray(width * height * 4);
  for (let y = 0; y < height; y++) {
    const from = ((top + y) * whole.width + left) * 4;
    data.set(whole.data.subarray(from, from + width * 4), y * width * 4);
  }
  return { data, width, height };
}

async function read(buffers: readonly GPUBuffer[]): Promise<Float32Array> {
  const parts = await Promise.all(buffers.map((buffer) => gpu.read(buffer)));
  return Float32Array.from(parts.flatMap((part) => [...new Float32Array(part)]));
}

function worst(actual: Float32Array, expected: Float32Array): number {
  expect(actual.length).toBe(expected.length);
  return expected.reduce((max, x, i) => Math.max(max, Math.abs(x - actual[i]!)), 0);
}
