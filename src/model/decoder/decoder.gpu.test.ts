import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { GREEDY } from "@/gpu/kernels/sampling/sample";
import { OutOfMemoryError } from "@/gpu/memory";
import { chooseVariants, PLAIN, type Variants } from "@/gpu/variants";
import { createTestGpu } from "../../../test/dawn";
import {
  FIXTURES,
  type FixtureModel,
  loadDecoder,
  prepare,
  section,
} from "../../../test/decoderFixtures";
import { maxError } from "../../../test/kernels";
import type { Decoder } from "./decoder";
import { generate } from "./generation";

/** PyTorch and we sum the same f32 numbers in other orders, through up to 8 layers. */
const TOLERANCE = 2e-3;
/** With inputs rounded to 11 bits; 0.030 was the largest of 11 cases, of logits up to 13. */
const F16_TOLERANCE = 0.05;
/** Of the longest prompts, and of kernels with barriers, which compile slowly: on a busy machine without a GPU. */
const SLOW_MS = 400_000;

const gpu = await createTestGpu();
afterAll(() => gpu.device.destroy());

describe.each(FIXTURES)("$name", (model) => {
  let decoder: Decoder;
  beforeAll(async () => {
    const { subgroups: hasSubgroups } = gpu.features;
    decoder = await loadDecoder(gpu, model, chooseVariants({ isFallback: true, hasSubgroups }));
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
    SLOW_MS,
  );
});

const TINY = FIXTURES[0] as FixtureModel;

describe("the same answer another way", () => {
  const WAYS: Readonly<Record<string, Parameters<typeof loadDecoder>[3] & { variants: Variants }>> =
    {
      "in one piece": { variants: PLAIN, chunkRows: 600 },
      "in small odd chunks": { variants: PLAIN, chunkRows: 37 },
      "with every matrix in parts": { variants: PLAIN, bindingBytes: 14_000 },
      "with shared memory": {
        variants: { reduction: "workgroup", matmul: "tiled", flash: "tiled", attend: "wide" },
        chunkRows: 24,
      },
      "with small splits of the cache": {
        variants: { ...PLAIN, reduction: "workgroup", attend: "fine" },
      },
      "with tiles in f16": {
        variants: { reduction: "workgroup", matmul: "tiledF16", flash: "tiled", attend: "wide" },
        chunkRows: 40,
      },
      "with subgroups": {
        variants: {
          reduction: "subgroup",
          matmul: "subgroup",
          flash: "subgroup",
          attend: "fewHeads",
        },
        chunkRows: 40,
      },
    };

  const sizes: readonly (readonly [way: string, rows: number])[] = [
    ["in one piece", 600],
    ["in small odd chunks", 600],
    ["with every matrix in parts", 40],
    ["with shared memory", 40],
    ["with small splits of the cache", 600],
    ...(gpu.features.f16 ? [["with tiles in f16", 600] as const] : []),
    ["with subgroups", 40],
  ];
  it.each(sizes)(
    "%s: %i rows",
    async (way, rows) => {
      const { variants, ...options } = WAYS[way] as (typeof WAYS)[string];
      const decoder = await loadDecoder(gpu, TINY, variants, options);
      const test = TINY.cases.find((candidate) => candidate.rows === rows);
      if (!test) throw new Error(`no case of ${rows} rows`);
      const { buffer, ...prompt } = prepare(decoder, test);
      const cache = decoder.createCache();
      await decoder.prefill({ cache, ...prompt });
      const prefilled = await decoder.logits();
      const tolerance = variants.matmul === "tiledF16" ? F16_TOLERANCE : TOLERANCE;
      expect(maxError(prefilled, section(test, "prefillLogits"))).toBeLessThan(tolerance);
      const ids = [];
      const args = { cache, sampling: GREEDY, maxNewTokens: 4, stopIds: [] };
      for await (const { id } of generate(decoder, args)) ids.push(id);
      expect(ids).toEqual(test.greedyIds.slice(0, 4));
      cache.destroy();
      gpu.memory.destroy(buffer);
      decoder.destroy();
    },
    SLOW_MS,
  );
});

describe("a turn", () => {
  const test = TINY.cases[0] as FixtureModel["cases"][0];
  const ids = Uint32Array.from(test.ids);
  let decoder: Decoder;
  beforeAll(async () => {
    decoder = await loadDecoder(gpu, TINY, PLAIN, { chunkRows: 16 });
  });
  afterAll(() => decoder.destroy());

  it("stops at a stop id, keeps its row, and takes back what was run ahead", async () => {
    const cache = decoder.createCache();
    await decoder.prefill({ cache, ids });
    const stop = test.greedyIds[3] as number;
    const first = test.greedyIds.indexOf(stop);
    const tokens = generate(decoder, {
      cache,
      sampling: GREEDY,
      maxNewTokens: 32,
      stopIds: [stop],
    });
    const seen = [];
    let next = await tokens.next();
    for (; !next.done; next = await tokens.next()) seen.push(next.value.id);
    expect(next.value).toBe("stop");
    expect(seen).toEqual(test.greedyIds.slice(0, first + 1));
    expect(cache.rows(0)).toBe(40 + first + 1);
    expect(cache.seen).toBe(40 + first + 1);

    // The next turn goes on as if the answer had been part of the prompt.
    const more = Uint32Array.from([5, 6, 7]);
    await decoder.prefill({ cache, ids: more });
    const appended = await decoder.logits();
    const whole = decoder.createCache();
    await decoder.prefill({ cache: whole, ids: Uint32Array.from([...ids, ...seen, ...more]) });
    expect(maxError(appended, await decoder.logits())).toBeLessThan(1e-4);
    whole.destroy();
    cache.destroy();
  });

  it("stops within two tokens when told to, and when the loop is left", async () => {
    const cache = decoder.createCache();
    await decoder.prefill({ cache, ids });
    const controller = new AbortController();
    const { signal } = controller;
    const args = { cache, sampling: GREEDY, maxNewTokens: 32, stopIds: [] };
    const seen = [];
    for await (const { id } of generate(decoder, { ...args, signal })) {
      seen.push(id);
      if (seen.length === 3) controller.abort();
    }
    expect(seen).toEqual(test.greedyIds.slice(0, 3));
    expect(cache.rows(0)).toBe(43);
    for await (const { id } of generate(decoder, args)) {
      expect(id).toBeLessThan(1009);
      break;
    }
    expect(cache.rows(0)).toBe(44);
    cache.destroy();
  });

  it("takes back nothing that did not happen when a step fails", async () => {
    const cache = decoder.createCache();
    await decoder.prefill({ cache, ids });
    const hook = {
      beforeStep() {
        if (cache.seen === 42) throw new RangeError("no memory");
      },
    };
    const args = { cache, sampling: GREEDY, maxNewTokens: 32, stopIds: [], hook };
    const seen: number[] = [];
    const run = async () => {
      for await (const { id } of generate(decoder, args)) seen.push(id);
    };
    await expect(run()).rejects.toThrow("no memory");
    expect(seen).toEqual(test.greedyIds.slice(0, 2));
    expect([cache.rows(0), cache.seen]).toEqual([42, 42]);
    cache.destroy();
  });

  it("frees what it has made for its steps if there is no memory for the rest", async () => {
    const cache = decoder.createCache();
    await decoder.prefill({ cache, ids });
    const before = gpu.memory.bytes;
    const { storage } = gpu.memory;
    const refused = vi.spyOn(gpu.memory, "storage").mockImplementation((pool, label, size) => {
      if (label === "attention stats") throw new OutOfMemoryError(label, size, 0);
      return storage.call(gpu.memory, pool, label, size);
    });
    const args = { cache, sampling: GREEDY, maxNewTokens: 4, stopIds: [] };
    await expect(generate(decoder, args).next()).rejects.toThrow(OutOfMemoryError);
    refused.mockRestore();
    expect(gpu.memory.bytes).toEqual(before);
    cache.destroy();
  });

  it("leaves the cache as it was when a prefill is cancelled", async () => {
    const cache = decoder.createCache();
    await decoder.prefill({ cache, ids: ids.subarray(0, 5) });
    const controller = new AbortController();
    const progress: number[] = [];
    const run = decoder.prefill({
      cache,
      ids,
      signal: controller.signal,
      onProgress: (done) => {
        progress.push(done);
        controller.abort();
      },
    });
    await expect(run).rejects.toMatchObject({ name: "AbortError" });
    expect(progress[0]).toBe(16);
    expect([cache.rows(0), cache.rows(2, 1), cache.seen]).toEqual([5, 5, 5]);
    cache.destroy();
  });

  it("runs nothing of a chunk that could not be recorded to its end", async () => {
    const cache = decoder.createCache();
    await decoder.prefill({ cache, ids });
    const expected = await decoder.logits();
    cache.truncate(ids.length);
    const hook = {
      afterAttention() {
        throw new RangeError("no memory");
      },
    };
    await expect(decoder.prefill({ cache, ids, hook })).rejects.toThrow("no memory");
    expect([cache.seen, cache.bytes]).toEqual([0, 0]);
    gpu.device.pushErrorScope("validation");
    await decoder.prefill({ cache, ids });
    expect(await gpu.device.popErrorScope()).toBeNull();
    expect(await decoder.logits()).toEqual(expected);
    cache.destroy();
  });

  it("refuses what the context cannot hold, and ends where it is full", async () => {
    const { contextLength } = decoder.config;
    const cache = decoder.createCache();
    const tooLong = decoder.prefill({ cache, ids: new Uint32Array(contextLength + 1) });
    await expect(tooLong).rejects.toMatchObject({ code: "contextOverflow" });
    expect(cache.bytes).toBe(0);
    cache.destroy();

    const short = await loadDecoder(gpu, TINY, PLAIN, { chunkRows: 16, contextLength: 43 });
    const full = short.createCache();
    await short.prefill({ cache: full, ids });
    const tokens = generate(short, {
      cache: full,
      sampling: GREEDY,
      maxNewTokens: 32,
      stopIds: [],
    });
    let next = await tokens.next();
    let count = 0;
    for (; !next.done; next = await tokens.next()) count++;
    expect([next.value, count]).toEqual(["context", 3]);
    full.destroy();
    short.destroy();
  });

  it("repeats itself with a seed, and not with another", async () => {
    const sampleIds = async (seed: number) => {
      const cache = decoder.createCache();
      await decoder.prefill({ cache, ids });
      const sampling = { temperature: 1, topK: 50, topP: 0.95, seed };
      const sampled = [];
      const args = { cache, sampling, maxNewTokens: 6, stopIds: [] };
      for await (const { id } of generate(decoder, args)) sampled.push(id);
      cache.destroy();
      return sampled;
    };
    const first = await sampleIds(1);
    expect(await sampleIds(1)).toEqual(first);
    expect(await sampleIds(2)).not.toEqual(first);
  });

  it("gives back everything but the weights and the scratch", async () => {
    const before = gpu.memory.bytes;
    for (let turn = 0; turn < 2; turn++) {
      const cache = decoder.createCache();
      await decoder.prefill({ cache, ids });
      const args = { cache, sampling: GREEDY, maxNewTokens: 4, stopIds: [] };
      for await (const { id } of generate(decoder, args)) expect(id).toBeLessThan(1009);
      cache.destroy();
    }
    expect(gpu.memory.bytes).toEqual(before);
  });
});
