import fs from "node:fs";
import { describe, expect, it } from "vitest";
import { FAMILY_FIXTURES } from "../../../test/families";
import { diskFetch, diskUrl } from "../../../test/files";
import { ModelFiles } from "../checkpoint/files";
import type { PromptImage } from "../prompt/imageMarkup";
import { PromptBuilder } from "../prompt/prompt";
import { Tokenizer } from "../prompt/tokenizer";
import { inWords } from "./idefics3/inWords";
import { OneVisionFrames } from "./llava/oneVisionFrames";
import { videoTokenOf } from "./openVision";
import { familyOf } from "./registry";

/** What `reference/make_video_fixture.py` recorded. */
const recorded: {
  readonly seconds: readonly number[];
  readonly duration: number;
  readonly question: string;
  readonly rows: number;
  readonly imageRows: number;
  readonly prompts: Readonly<Record<string, readonly number[]>>;
  /** The same with an image behind the video. */
  readonly besideImage: Readonly<Record<string, readonly number[]>>;
  readonly pooling: {
    readonly side: number;
    readonly features: number[];
    readonly pooled: number[];
  };
} = JSON.parse(fs.readFileSync(`${FAMILY_FIXTURES}/video.json`, "utf8"));

const BOX = { x: 0, y: 0, width: 1, height: 1 };
const tile = (rows: number) => ({ gridRows: 1, gridColumns: rows, box: BOX });

/** Frames of one video, of `rows` rows each. */
function framesOf(rows: number, seconds = recorded.seconds): PromptImage[] {
  return seconds.map((time, i) => ({
    ...{ key: `${i}`, grid: { rows: 0, columns: 0 }, tiles: [tile(rows)] },
    frame: { video: "a", seconds: time, duration: recorded.duration },
  }));
}

async function promptsOf(name: string) {
  const folder = `${FAMILY_FIXTURES}/${name}`;
  const json = JSON.parse(fs.readFileSync(`${folder}/config.json`, "utf8"));
  const files = new ModelFiles(diskUrl(folder), { fetch: diskFetch });
  const ids = [json.image_token_id ?? json.image_token_index, videoTokenOf(json)] as const;
  const markup = familyOf(json)!.vision!.markup(...ids);
  return { markup, prompts: new PromptBuilder(await Tokenizer.load(files), markup, []) };
}

describe("a video", () => {
  it.each(Object.entries(recorded.prompts))(
    "in a prompt of %s is written as by PyTorch",
    async (name, ids) => {
      const { prompts } = await promptsOf(name);
      const images = framesOf(recorded.rows);
      // LLaVA-OneVision's last frame has the newline row.
      if (name === "llava-onevision")
        images.push({ ...images.pop()!, tiles: [tile(recorded.rows), tile(1)] });
      const prompt = prompts.build([{ images, question: recorded.question }]);
      expect(prompt.ids).toEqual(ids);
      expect(new Set(prompt.tiles.map(({ image }) => image)).size).toBe(recorded.seconds.length);
    },
  );

  it.each(Object.entries(recorded.besideImage))(
    "before an image stands behind it where the template of %s says so",
    async (name, ids) => {
      const { prompts } = await promptsOf(name);
      const frames = framesOf(recorded.rows);
      const last = { ...frames.pop()!, tiles: [tile(recorded.rows), tile(1)] };
      const still = {
        key: "still",
        grid: { rows: 0, columns: 0 },
        tiles: [tile(recorded.imageRows)],
      };
      const before = { images: [still], question: "?", answerIds: [1] };
      const images = [...frames, last, still];
      const prompt = prompts.build([{ images, question: recorded.question }]);
      expect(prompt.ids).toEqual(ids);
      expect(prompt.tiles.map(({ image, count }) => [image, count])).toEqual([
        ["still", recorded.imageRows],
        ...[...frames, last].map(({ key }) => [key, recorded.rows]),
        ["2", 1],
      ]);
      expect(prompt.imageOrder).toEqual([3, 0, 1, 2]);
      expect(prompts.build([before, { images, question: "?" }]).imageOrder).toEqual([
        ...[0, 4, 1, 2, 3],
      ]);
    },
  );

  it("in a model whose family has no videos is images after their times", async () => {
    const { prompts, markup } = await promptsOf("llava-1.5");
    const question = recorded.question;
    const { ids } = prompts.build([{ images: framesOf(2, [1, 65]), question }]);
    const alone = prompts.build([{ images: framesOf(2, [1]), question }]).ids;
    expect(ids.filter((id) => id === markup.imageTokenId)).toHaveLength(4);
    expect(ids.length).toBeGreaterThan(alone.length + 4);
    const other = prompts.build([{ images: framesOf(2, [1, 66]), question }]).ids;
    expect(other, "the time is in the prompt").not.toEqual(ids);
  });

  it("beside images keeps the order of the turn", async () => {
    const { prompts } = await promptsOf("internvl3");
    const [image] = framesOf(3).map(({ frame: _, ...rest }) => ({ ...rest, key: "still" }));
    const { tiles } = prompts.build([{ images: [image!, ...framesOf(2)], question: "?" }]);
    expect(tiles.map(({ count }) => count)).toEqual([3, 2, 2, 2]);
  });
});

it("pools a frame's features as LLaVA-OneVision does, and ends the video by a newline row", () => {
  const { side, features, pooled } = recorded.pooling;
  const normalization = { scale: 1, mean: [0, 0, 0], std: [1, 1, 1] };
  const config = { tileSize: side, side, normalization };
  const raster = { data: new Uint8ClampedArray(side * side * 4), width: side, height: side };
  const { arrangement, geometry } = new OneVisionFrames("bicubic", {
    ...config,
    isLast: false,
  }).process(raster);
  const { rows, parts, indices, weights } = arrangement!;
  expect(rows).toBe(9);
  expect(geometry.tiles).toHaveLength(1);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < 2; column++) {
      let sum = 0;
      for (let part = row * parts; part < (row + 1) * parts; part++) {
        sum += weights[part]! * features[2 * indices[part]! + column]!;
      }
      expect(sum).toBeCloseTo(pooled[2 * row + column]!, 5);
    }
  }
  const last = new OneVisionFrames("bicubic", { ...config, isLast: true }).process(raster);
  expect(last.arrangement!.rows).toBe(10);
  expect(last.arrangement!.indices[9 * parts]).toBe(side ** 2);
  expect(last.geometry.tiles[1]).toMatchObject({ gridRows: 1, gridColumns: 1 });
});

it("spells numbers", () => {
  expect([0, 8, 13, 20, 21, 64, 99, 100].map(inWords)).toEqual([
    ...["zero", "eight", "thirteen", "twenty", "twenty-one", "sixty-four", "ninety-nine", "100"],
  ]);
});
