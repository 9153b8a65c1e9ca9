import fs from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PLAIN } from "@/gpu/variants";
import { resample } from "@/images/resample";
import { diskSource } from "../../../cli/disk";
import { createTestGpu } from "../../../test/dawn";
import { FAMILY_FIXTURES, FamilyArrays, type FamilyCase, readFamily } from "../../../test/families";
import { diskFetch, diskUrl } from "../../../test/files";
import { readPng } from "../../../test/png";
import { parseConfig } from "../checkpoint/config";
import { ModelFiles } from "../checkpoint/files";
import { loadWeights } from "../checkpoint/weights";
import { Decoder, promptIds } from "../decoder/decoder";
import { generate } from "../decoder/generation";
import { PromptBuilder, type PromptTurn } from "../prompt/prompt";
import { Tokenizer } from "../prompt/tokenizer";
import { VisionTower } from "../vision/tower";
import { loadTowerWeights } from "../vision/towerWeights";
import type { ProcessedImage } from "./family";
import { normalizationOf, preprocessorFiles } from "./preprocessor";
import { familyOf } from "./registry";

/** Features and logits against PyTorch in float32. */
const FEATURE_TOLERANCE = 1e-3;
const LOGIT_TOLERANCE = 2e-3;

const gpu = await createTestGpu();
afterAll(() => gpu.device.destroy());

const NAMES = [
  "smolvlm",
  "smolvlm2",
  "llava-1.5",
  "llava-next-vicuna",
  "llava-next-mistral",
  "internvl3",
  "internvl3-qk-norm",
  "llama",
  "qwen2",
  "qwen3",
];
const SAMPLING = { temperature: 0, topK: 0, topP: 1, seed: 0 };

describe.each(NAMES)("%s", async (name) => {
  const { directory, cases } = readFamily(name);
  const folder = `${FAMILY_FIXTURES}/${directory}`;
  const arrays = new FamilyArrays(name);
  const json = JSON.parse(fs.readFileSync(`${folder}/config.json`, "utf8"));
  const files = new ModelFiles(diskUrl(folder), { fetch: diskFetch });
  const config = parseConfig(json);
  const vision = familyOf(json)!.vision;
  const tower = vision?.tower(json, config.hidden);
  const processor = tower && (await vision?.processor(files, tower));
  const tokenizer = await Tokenizer.load(files);
  const markup = vision?.markup(json.image_token_id ?? json.image_token_index);
  const prompts = new PromptBuilder(tokenizer, markup, []);
  const pictures = new Map<string, ProcessedImage>();
  for (const picture of new Set(cases.flatMap((c) => picturesOf(c)))) {
    const raster = readPng(`${FAMILY_FIXTURES}/pictures/${picture}.png`);
    const [width, height] = processor!.sizeFor(raster.width, raster.height);
    const from = [raster.width, raster.height] as const;
    const data = resample(raster.data, from, [width, height], processor!.filter);
    pictures.set(picture, processor!.process({ data, width, height }));
  }

  let decoder: Decoder;
  let encoder: VisionTower | undefined;
  beforeAll(async () => {
    const source = diskSource(folder);
    const weights = await loadWeights(gpu, config, source);
    decoder = await Decoder.create(gpu, config, weights, { variants: PLAIN, kvType: "f32" });
    if (!vision || !tower) return;
    const towerWeights = await loadTowerWeights(gpu, tower, source, vision.names);
    encoder = await VisionTower.create(gpu, tower, towerWeights, PLAIN);
  });
  afterAll(async () => {
    decoder.destroy();
    await encoder?.release();
  });

  it.each([...pictures.keys()])("prepares the picture %s as Pillow does", async (picture) => {
    const { preprocessor } = await preprocessorFiles(files);
    const { mean, std } = normalizationOf(preprocessor);
    const { pixelValues, tiles, height, width } = pictures.get(picture)!;
    const expected = arrays.bytes(`pixels/${picture}`);
    expect([tiles, 3, height, width]).toEqual(arrays.shape(`pixels/${picture}`));
    const levels = Uint8Array.from(pixelValues, (value, i) => {
      const channel = Math.floor(i / (height * width)) % 3;
      return Math.round((value * std[channel]! + mean[channel]!) * 255);
    });
    expect(Buffer.compare(levels, expected)).toBe(0);
  });

  it.each(cases.filter(({ messages }) => messages.length === 1))(
    "writes the prompt $name as its template does",
    (test) => {
      const { ids } = prompts.build(turnsOf(test));
      expect(ids).toEqual(test.inputIds);
    },
  );

  it.each(cases.filter(({ messages }) => messages.length === 1))(
    "answers $name as PyTorch does",
    async (test) => {
      const { ids, tiles } = prompts.build(turnsOf(test));
      const features = [];
      let firstRow = 0;
      for (const [i, picture] of picturesOf(test).entries()) {
        const encoded = await encoder!.encode(pictures.get(picture)!);
        const { rows } = encoded;
        const actual = new Float32Array(await gpu.read(encoded.buffer));
        expect(worst(actual, arrays.floats(`features/${test.images[i]}`))).toBeLessThan(
          FEATURE_TOLERANCE,
        );
        features.push({ features: encoded.buffer, firstRow, rows });
        firstRow += rows;
      }
      const cache = decoder.createCache();
      await decoder.prefill({ cache, ids: promptIds(ids, tiles), features });
      const logits = await decoder.logits();
      expect(worst(logits, arrays.floats(`logits/${test.name}`))).toBeLessThan(LOGIT_TOLERANCE);
      const tokenIds: number[] = [];
      const steps = { cache, maxNewTokens: 24, stopIds: [], sampling: SAMPLING };
      for await (const { id } of generate(decoder, steps)) tokenIds.push(id);
      expect(tokenIds).toEqual(test.greedyIds);
      cache.destroy();
      for (const slice of features) gpu.memory.destroy(slice.features);
    },
  );

  function turnsOf({ messages }: FamilyCase): PromptTurn[] {
    return messages.map(({ content }) => {
      const parts =
        typeof content === "string" ? [{ type: "text" as const, text: content }] : content;
      return {
        question: parts.flatMap((part) => (part.type === "text" ? [part.text] : [])).join(""),
        images: parts.flatMap((part) =>
          part.type === "image"
            ? [{ key: part.picture, ...pictures.get(part.picture)!.geometry }]
            : [],
        ),
      };
    });
  }
});

function picturesOf({ messages }: FamilyCase): string[] {
  return messages.flatMap(({ content }) =>
    typeof content === "string"
      ? []
      : content.flatMap((part) => (part.type === "image" ? [part.picture] : [])),
  );
}

function worst(actual: Float32Array, expected: Float32Array): number {
  expect(actual.length).toBe(expected.length);
  return expected.reduce((max, x, i) => Math.max(max, Math.abs(x - actual[i]!)), 0);
}
