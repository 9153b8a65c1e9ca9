import fs from "node:fs";
import { afterAll, expect, it } from "vitest";
import type { KvType } from "@/gpu/kernels/kv/kvType";
import { GREEDY } from "@/gpu/kernels/sampling/sample";
import { PLAIN } from "@/gpu/variants";
import { createTestGpu } from "../../../test/dawn";
import { FIXTURES, loadDecoder } from "../../../test/decoderFixtures";
import { maxError } from "../../../test/kernels";
import type { Decoder } from "./decoder";
import { generate } from "./generation";

interface RoundedPrompt {
  readonly ids: readonly number[];
  readonly greedyIds: readonly number[];
}

/** `reference/make_kv_fixture.py`: PyTorch with a cache of the same codes. */
const ROUNDED: {
  readonly cases: readonly {
    readonly name: string;
    readonly kvType: "q8" | "q4";
    readonly prompts: readonly RoundedPrompt[];
  }[];
  readonly sections: Readonly<Record<string, { offset: number; shape: readonly [number] }>>;
} = JSON.parse(fs.readFileSync("fixtures/decoder/rounded.json", "utf8"));
const LOGITS = new Float32Array(
  new Uint8Array(fs.readFileSync("fixtures/decoder/rounded.bin")).buffer,
);

/** PyTorch and we sum in other orders. */
const TOLERANCE = 2e-3;
/** In 8 layers, some key of every prompt lies between two of 255 codes and takes the other one: here a tenth of the error. */
const OTHER_CODES = 0.02;
/**
 * Largest difference from the logits with a cache in f32, a little above what was measured; the largest logits are 10
 * to 13. keepsight-mini is trained, and may be trained again.
 */
const ERRORS: Readonly<Record<string, Readonly<Record<"q8" | "q4", number>>>> = {
  "tiny-6over2-f32": { q8: 0.5, q4: 6 },
  "tiny-4over4-f16": { q8: 0.5, q4: 6 },
  "tiny-5over1-bf16": { q8: 0.5, q4: 6 },
  "keepsight-mini": { q8: 0.3, q4: 3 },
};

/** Kernels with barriers compile slowly on a software adapter, most of all on a busy machine. */
const SLOW_MS = 400_000;

const gpu = await createTestGpu();
afterAll(() => gpu.device.destroy());

it.each(ROUNDED.cases)(
  "$name with a cache in $kvType answers as PyTorch with the same codes",
  async (test) => {
    const { name, kvType, prompts } = test;
    const model = FIXTURES.find((each) => each.name === name)!;
    const load = (type: KvType) => loadDecoder(gpu, model, PLAIN, { kvType: type });
    const [decoder, exact] = [await load(kvType), await load("f32")];
    const errors = [];
    for (const [i, prompt] of prompts.entries()) {
      const answer = await run(decoder, prompt);
      const expected = (part: string) => logitsOf(`${name} ${kvType} ${i} ${part}`);
      const error = maxError(answer.prefilled, (await run(exact, prompt)).prefilled);
      expect(error).toBeGreaterThan(TOLERANCE); // the cache was rounded
      expect(error).toBeLessThan(ERRORS[name]![kvType]);
      const isSame = String(answer.ids) === String(prompt.greedyIds);
      const prefill = maxError(answer.prefilled, expected("prefill"));
      errors.push(
        isSame ? Math.max(prefill, maxError(answer.decoded, expected("decode"))) : Infinity,
      );
    }
    // A key between two codes may take either, and every later layer follows it: not all prompts have one.
    const isDeep = name === "keepsight-mini" && kvType === "q8";
    expect(Math.min(...errors)).toBeLessThan(isDeep ? OTHER_CODES : TOLERANCE);
    decoder.destroy();
    exact.destroy();
  },
);

it(
  "answers so, too, where attention rounds and appends the rows of steps",
  async () => {
    const { name, kvType, prompts } = ROUNDED.cases[0]!;
    const model = FIXTURES.find((each) => each.name === name)!;
    const variants = { ...PLAIN, reduction: "subgroup" } as const;
    const decoder = await loadDecoder(gpu, model, variants, { kvType });
    expect(decoder.kernels.attendNewRow).toBeDefined();
    const errors = [];
    for (const [i, prompt] of prompts.slice(0, 2).entries()) {
      const { ids, decoded } = await run(decoder, prompt);
      const isSame = String(ids) === String(prompt.greedyIds);
      errors.push(isSame ? maxError(decoded, logitsOf(`${name} ${kvType} ${i} decode`)) : Infinity);
    }
    expect(Math.min(...errors)).toBeLessThan(TOLERANCE);
    decoder.destroy();
  },
  SLOW_MS,
);

async function run(decoder: Decoder, { ids, greedyIds }: RoundedPrompt) {
  const cache = decoder.createCache();
  await decoder.prefill({ cache, ids: Uint32Array.from(ids) });
  const prefilled = await decoder.logits();
  const sampling = GREEDY;
  const args = { cache, sampling, maxNewTokens: greedyIds.length, stopIds: [] };
  const sampled = [];
  for await (const { id } of generate(decoder, args)) sampled.push(id);
  const decoded = await decoder.logits();
  cache.destroy();
  return { prefilled, ids: sampled, decoded };
}

function logitsOf(section: string): Float32Array<ArrayBuffer> {
  const { offset, shape } = ROUNDED.sections[section]!;
  return LOGITS.slice(offset, offset + shape[0]);
}
