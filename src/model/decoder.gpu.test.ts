import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PLAIN } from "@/gpu/variants";
import { createTestGpu } from "../../test/dawn";
import { FIXTURES, loadDecoder, prepare, section } from "../../test/decoderFixtures";
import { maxError } from "../../test/kernels";
import type { Decoder } from "./decoder";
import { generate } from "./generation";

/** PyTorch and we sum the same f32 numbers in other orders, through up to 8 layers. */
const TOLERANCE = 2e-3;
const GREEDY = { temperature: 0, topK: 0, topP: 1, seed: 0 };

const gpu = await createTestGpu();
afterAll(() => gpu.device.destroy());

describe.each(FIXTURES)("$name", (model) => {
  let decoder: Decoder;
  beforeAll(async () => {
    decoder = await loadDecoder(gpu, model, PLAIN);
  });
  afterAll(() => decoder.destroy());

  it.each(model.cases)(
    "prefills $rows rows and decodes 32 tokens as PyTorch does",
    async (test) => {
      const { buffer, ...prompt } = prepare(decoder, test);
      const cache = decoder.createCache();
      await decoder.prefill({ cache, ...prompt });
      const prefilled = await decoder.logits();
      expect(maxError(prefilled, section(test, "prefillLogits"))).toBeLessThan(TOLERANCE);

      const ids = [];
      const args = { cache, sampling: GREEDY, maxNewTokens: 32, stopIds: [] };
      for await (const { id } of generate(decoder, args)) ids.push(id);
      expect(ids).toEqual(test.greedyIds);
      expect(maxError(await decoder.logits(), section(test, "decodeLogits"))).toBeLessThan(
        TOLERANCE,
      );
      expect(cache.rows(0)).toBe(test.rows + 32);
      cache.destroy();
      gpu.memory.destroy(buffer);
    },
  );
});
