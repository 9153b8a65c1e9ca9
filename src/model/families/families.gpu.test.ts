import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { FeatureSlice } from "@/gpu/kernels/common/embed";
import { GREEDY } from "@/gpu/kernels/sampling/sample";
import { PLAIN } from "@/gpu/variants";
import { diskSource } from "../../../cli/shared/disk";
import { createTestGpu } from "../../../test/dawn";
import { FamilyModel, textOf } from "../../../test/familyModel";
import { pytorchSource } from "../checkpoint/quantized/mlxSource";
import { loadWeights } from "../checkpoint/weights";
import { Decoder, promptIds } from "../decoder/decoder";
import { generate } from "../decoder/generation";
import { featureBuffers, type VisionEncoder } from "../vision/encoder";
import type { ProcessedImage } from "./family";
import { normalizationOf, preprocessorFiles } from "./preprocessor";

/** Features and logits against PyTorch in float32. */
const FEATURE_TOLERANCE = 1e-3;
const LOGIT_TOLERANCE = 2e-3;

/** Kernels with barriers compile slowly on a software adapter, most of all on a busy machine. */
const SLOW_MS = 400_000;

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

describe.each(NAMES)("%s", async (name) => {
  const model = await FamilyModel.open(name);
  const { arrays, cases, config, files, folder, json, markup, pictures, prompts, tokenizer } =
    model;

  let decoder: Decoder;
  let encoder: VisionEncoder | undefined;
  beforeAll(async () => {
    const source = await pytorchSource(diskSource(folder), json);
    const weights = await loadWeights(gpu, config, source);
    decoder = await Decoder.create(gpu, config, weights, { variants: PLAIN, kvType: "f32" });
    encoder = await model.vision?.weights.load(gpu, source, PLAIN);
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
    const { turns, expected } = model.conversation(test);
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
    const { turns } = model.conversation(test);
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
    const args = { cache, maxNewTokens: 24, stopIds: [], sampling: GREEDY };
    for await (const { id } of generate(decoder, args)) tokenIds.push(id);
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
});

it(
  "answers as PyTorch does where attention norms and appends the rows of steps",
  async () => {
    const { cases, config, folder, json } = await FamilyModel.open("qwen3");
    const source = await pytorchSource(diskSource(folder), json);
    const weights = await loadWeights(gpu, config, source);
    const variants = { ...PLAIN, reduction: "subgroup" } as const;
    const decoder = await Decoder.create(gpu, config, weights, { variants, kvType: "f32" });
    expect(decoder.kernels.attendNewRow).toBeDefined();
    const { inputIds, greedyIds } = cases[0]!;
    const cache = decoder.createCache();
    await decoder.prefill({ cache, ids: promptIds(inputIds) });
    const tokenIds: number[] = [];
    const steps = { cache, maxNewTokens: greedyIds.length, stopIds: [], sampling: GREEDY };
    for await (const { id } of generate(decoder, steps)) tokenIds.push(id);
    expect(tokenIds).toEqual(greedyIds);
    cache.destroy();
    decoder.destroy();
  },
  SLOW_MS,
);

/** Attention that rows receive: what every tile's queries pay adds up to one, or to one per window. */
function expectShares(attention: Float32Array, rows: number, image: ProcessedImage): void {
  expect(attention.length).toBe(rows);
  expect(Math.min(...attention)).toBeGreaterThanOrEqual(0);
  const sum = attention.reduce((total, x) => total + x, 0);
  expect(sum).toBeGreaterThan(0.3);
  if (!image.arrangement && image.tiles > 1) expect(sum).toBeLessThan(image.tiles + 1e-3);
}

function worst(actual: Float32Array, expected: Float32Array): number {
  expect(actual.length).toBe(expected.length);
  return expected.reduce((max, x, i) => Math.max(max, Math.abs(x - actual[i]!)), 0);
}
