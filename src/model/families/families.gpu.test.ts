import fs from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { FeatureSlice } from "@/gpu/kernels/common/embed";
import { PLAIN } from "@/gpu/variants";
import { resample } from "@/images/resample";
import { diskSource } from "../../../cli/disk";
import { readPng } from "../../../cli/png";
import { createTestGpu } from "../../../test/dawn";
import { FAMILY_FIXTURES, FamilyArrays, type FamilyCase, readFamily } from "../../../test/families";
import { diskFetch, diskUrl } from "../../../test/files";
import { parseConfig } from "../checkpoint/config";
import { ModelFiles } from "../checkpoint/files";
import { pytorchSource } from "../checkpoint/quantized/mlxSource";
import { loadWeights } from "../checkpoint/weights";
import { Decoder, promptIds } from "../decoder/decoder";
import { generate } from "../decoder/generation";
import { PromptBuilder, type PromptTurn } from "../prompt/prompt";
import { Tokenizer } from "../prompt/tokenizer";
import { featureBuffers, type VisionEncoder } from "../vision/encoder";
import type { ProcessedImage } from "./family";
import { openVision } from "./openVision";
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
  "smolvlm-mlx",
  "llava-1.5",
  "llava-next-vicuna",
  "llava-next-mistral",
  "llava-onevision",
  "internvl3",
  "internvl3-qk-norm",
  "llama",
  "qwen2",
  "qwen3",
  "qwen2-vl",
  "qwen2.5-vl",
  "qwen3-vl",
];
/** Templates that write earlier turns in another way than when they were asked. */
const REWRITTEN = new Set(["llava-onevision"]);
const SAMPLING = { temperature: 0, topK: 0, topP: 1, seed: 0 };

describe.each(NAMES)("%s", async (name) => {
  const { directory, cases } = readFamily(name);
  const folder = `${FAMILY_FIXTURES}/${directory}`;
  const arrays = new FamilyArrays(name);
  const json = JSON.parse(fs.readFileSync(`${folder}/config.json`, "utf8"));
  const files = new ModelFiles(diskUrl(folder), { fetch: diskFetch });
  const config = parseConfig(json);
  const vision = familyOf(json)!.vision;
  const opened = vision && openVision(vision, json, config);
  const processor = await opened?.processor(files);
  const tokenizer = await Tokenizer.load(files);
  const markup = vision?.markup(json.image_token_id ?? json.image_token_index);
  const prompts = new PromptBuilder(tokenizer, markup, []);
  // By the names of the recording: `busy-base` is `busy` beside other pictures.
  const pictures = new Map<string, ProcessedImage>();
  for (const test of cases) {
    for (const [i, { picture, turnImages }] of picturesOf(test).entries()) {
      if (pictures.has(test.images[i]!)) continue;
      const raster = readPng(`${FAMILY_FIXTURES}/pictures/${picture}.png`);
      const [width, height] = processor!.sizeFor(raster.width, raster.height);
      const from = [raster.width, raster.height] as const;
      const data = resample(raster.data, from, [width, height], processor!.filter);
      pictures.set(test.images[i]!, processor!.process({ data, width, height }, turnImages));
    }
  }

  let decoder: Decoder;
  let encoder: VisionEncoder | undefined;
  beforeAll(async () => {
    const source = await pytorchSource(diskSource(folder), json);
    const weights = await loadWeights(gpu, config, source);
    decoder = await Decoder.create(gpu, config, weights, { variants: PLAIN, kvType: "f32" });
    encoder = await opened?.weights.load(gpu, source, PLAIN);
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

  it.each(cases)("writes the prompt $name as its template does", (test) => {
    const { turns, expected } = conversation(test);
    const { ids, tiles } = prompts.build(turns);
    expect(ids).toEqual(expected);
    const replies = test.messages.filter(({ role }) => role === "assistant").map(textOf);
    const answers = turns.flatMap(({ answerIds }) => (answerIds ? [answerIds] : []));
    expect(answers.map((answer) => tokenizer.decode(answer).trim())).toEqual(replies);
    const rows = tiles.flatMap(({ start, count }) => Array.from(Array(count), (_, i) => start + i));
    expect(rows).toEqual(imageRows(ids).map(({ start }) => start));
  });

  it.each(cases)("answers $name as PyTorch does", async (test) => {
    const { inputIds } = test;
    const cache = decoder.createCache();
    const { turns } = conversation(test);
    const written = prompts.build(turns);
    const images = turns.flatMap((turn) => turn.images.flatMap((image) => image.tiles));
    const tiles = written.tiles.map((tile, i) => ({ ...tile, ...images[i]! }));
    const last = inputIds.length - (written.ids.length - written.turnStarts.at(-1)!);
    const features: FeatureSlice[] = [];
    const buffers: GPUBuffer[] = [];
    for (const image of test.images) {
      const tapped = { attention: test.name === "one" };
      const encoded = await encoder!.encode(pictures.get(image)!, tapped);
      const { buffer, rows, deepstack = [], attention, keys } = encoded;
      if (tapped.attention) {
        expectShares(attention!, rows, pictures.get(image)!);
        expect(keys!.data).toHaveLength(rows * keys!.width);
        expect(keys!.data.every(Number.isFinite)).toBe(true);
        expect(new Set(keys!.data).size).toBeGreaterThan(rows);
      }
      buffers.push(...featureBuffers(encoded));
      expect(await farthest([buffer], `features/${image}`)).toBeLessThan(FEATURE_TOLERANCE);
      if (deepstack.length > 0) {
        expect(await farthest(deepstack, `deepstack/${image}`)).toBeLessThan(FEATURE_TOLERANCE);
      }
      const firstRow = features.reduce((sum, slice) => sum + slice.rows, 0);
      features.push({ features: buffer, deepstack, firstRow, rows });
    }
    const ids = promptIds(inputIds, imageRows(inputIds));
    // One prefill per turn; all image features count from the first turn on.
    for (const [start, end] of last > 0 ? [[0, last], [last]] : [[0]]) {
      const grids = tiles
        .filter((tile) => tile.start >= start! && tile.start < (end ?? inputIds.length))
        .map((tile) => ({ ...tile, start: tile.start - start! }));
      await decoder.prefill({ cache, ids: ids.slice(start, end), features, grids });
    }
    expect(cache.position).toBe(test.nextPosition);
    if (config.ropeAxes) {
      const axes = [0, 1, 2].flatMap((axis) =>
        inputIds.map((_, token) => cache.axisPositions(token)[axis]),
      );
      expect(axes).toEqual([...new Int32Array(arrays.bytes(`positions/${test.name}`).buffer)]);
    }
    const logits = await decoder.logits();
    expect(worst(logits, arrays.floats(`logits/${test.name}`))).toBeLessThan(LOGIT_TOLERANCE);
    const tokenIds: number[] = [];
    const steps = { cache, maxNewTokens: 24, stopIds: [], sampling: SAMPLING };
    for await (const { id } of generate(decoder, steps)) tokenIds.push(id);
    expect(tokenIds).toEqual(test.greedyIds);
    cache.destroy();
    for (const buffer of buffers) gpu.memory.destroy(buffer);
  });

  /** The greatest difference between buffers, one after the other, and a recorded array. */
  async function farthest(buffers: readonly GPUBuffer[], array: string): Promise<number> {
    const parts = await Promise.all(buffers.map((buffer) => gpu.read(buffer)));
    const actual = Float32Array.from(parts.flatMap((part) => [...new Float32Array(part)]));
    return worst(actual, arrays.floats(array));
  }

  /** The visual rows of a prompt, one by one. */
  function imageRows(ids: readonly number[]): readonly { start: number; count: number }[] {
    return ids.flatMap((id, start) => (id === markup?.imageTokenId ? [{ start, count: 1 }] : []));
  }

  /**
   * The case's turns, and the ids of their prompt. An answer is what stands between two questions in the
   * recorded ids.
   */
  function conversation(test: FamilyCase): { turns: PromptTurn[]; expected: readonly number[] } {
    const images = test.images.values();
    const expected = REWRITTEN.has(name) ? standing(test.inputIds) : test.inputIds;
    const turns: PromptTurn[] = [];
    for (const message of test.messages.filter(({ role }) => role === "user")) {
      const own = picturesOf({ messages: [message] }).map(() => images.next().value!);
      const turn = {
        question: textOf(message),
        images: own.map((key) => ({ key, ...pictures.get(key)!.geometry })),
      };
      const previous = turns.pop();
      if (previous) {
        const start = prompts.build([...turns, previous]).ids.length;
        const whole = prompts.build([...turns, { ...previous, answerIds: [] }, turn]);
        const end = lastIndexOf(expected, whole.ids.slice(whole.turnStarts.at(-1)));
        turns.push({ ...previous, answerIds: expected.slice(start, end) });
      }
      turns.push(turn);
    }
    return { turns, expected };
  }

  /** A prompt in which the first turn stands as it was written when it was asked. */
  function standing(ids: readonly number[]): readonly number[] {
    const [rewritten, written] = ["assistant \n", "assistant\n"].map((x) => tokenizer.encode(x));
    const at = [...ids.keys()].find((i) => rewritten!.every((id, j) => ids[i + j] === id));
    if (at === undefined) return ids;
    return [...ids.slice(0, at), ...written!, ...ids.slice(at + rewritten!.length)];
  }
});

/** Attention that rows receive: what every tile's queries pay adds up to one, or to one per window. */
function expectShares(attention: Float32Array, rows: number, image: ProcessedImage): void {
  expect(attention.length).toBe(rows);
  expect(Math.min(...attention)).toBeGreaterThanOrEqual(0);
  const sum = attention.reduce((total, x) => total + x, 0);
  expect(sum).toBeGreaterThan(0.3);
  if (!image.arrangement && image.tiles > 1) expect(sum).toBeLessThan(image.tiles + 1e-3);
}

interface TestPicture {
  readonly picture: string;
  /** Pictures of its turn. */
  readonly turnImages: number;
}

function picturesOf({ messages }: Pick<FamilyCase, "messages">): TestPicture[] {
  return messages.flatMap(({ content }) => {
    const parts = typeof content === "string" ? [] : content;
    const own = parts.flatMap((part) => (part.type === "image" ? [part.picture] : []));
    return own.map((picture) => ({ picture, turnImages: own.length }));
  });
}

function textOf({ content }: FamilyCase["messages"][number]): string {
  if (typeof content === "string") return content;
  return content.flatMap((part) => (part.type === "text" ? [part.text] : [])).join("");
}

/** Where `part` begins in `whole`, at its last occurrence; −1 if it does not occur. */
function lastIndexOf(whole: readonly number[], part: readonly number[]): number {
  const starts = [...whole.keys()].filter((at) => part.every((id, i) => whole[at + i] === id));
  return starts.at(-1) ?? -1;
}

function worst(actual: Float32Array, expected: Float32Array): number {
  expect(actual.length).toBe(expected.length);
  return expected.reduce((max, x, i) => Math.max(max, Math.abs(x - actual[i]!)), 0);
}
