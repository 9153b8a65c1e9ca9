import { afterAll, describe, expect, it } from "vitest";
import { loadFixtureDecoder } from "@/bench/fixture";
import { GREEDY } from "@/gpu/kernels/sampling/sample";
import { chooseVariants } from "@/gpu/variants";
import { diskSource } from "../../../cli/shared/disk";
import { createTestGpu } from "../../../test/dawn";
import { maxError } from "../../../test/kernels";
import { Eviction } from "../eviction/eviction";
import type { KvCache } from "../kv/cache";
import { compact } from "../kv/compaction";
import { BatchSteps, MOST_SEQUENCES, type Sequence } from "./batchSteps";
import { type Decoder, promptIds } from "./decoder";
import { generate } from "./generation";
import type { DecodeHook } from "./hooks";
import type { SampledToken } from "./tokenReadback";

/** Sums of the same products in another order, behind eight layers. */
const TOLERANCE = 2e-3;
const RANDOM = { temperature: 1, topK: 20, topP: 0.9, seed: 3 };

interface Case {
  readonly rows: number;
  readonly steps: number;
  readonly sampling: typeof GREEDY;
  readonly prepare?: (cache: KvCache, decoder: Decoder) => Promise<DecodeHook | undefined>;
}

const startOf = (cache: KvCache) => cache.rowCounts().map((heads) => heads.map(() => 0));

const CASES: readonly Case[] = [
  { rows: 60, steps: 12, sampling: GREEDY },
  {
    ...{ rows: 90, steps: 9, sampling: RANDOM },
    async prepare(cache) {
      const keep = [Uint32Array.from({ length: 31 }, (_, i) => 2 * i + 28)];
      const layers = Array.from({ length: cache.shape.layers }, () => ({ keep }));
      await compact(cache, { layers }, startOf(cache));
      return undefined;
    },
  },
  {
    ...{ rows: 40, steps: 5, sampling: GREEDY },
    prepare: (cache, { config }) =>
      Eviction.create({
        cache,
        heads: config.heads,
        start: startOf(cache),
        seenBefore: 0,
        rule: {
          due: (_, rows) => Math.max(0, rows - 38),
          victim: {
            kind: "lowest",
            scores: "sum",
            perHead: false,
            protectFirst: 2,
            protectLast: 4,
          },
        },
      }),
  },
];

describe("sequences that decode together", async () => {
  const gpu = await createTestGpu();
  const { subgroups: hasSubgroups } = gpu.features;
  const variants = chooseVariants({ isFallback: true, hasSubgroups });
  const source = diskSource("public/models/keepsight-mini");
  const decoder = await loadFixtureDecoder(gpu, source, variants, { kvType: "f16" });
  afterAll(() => {
    decoder.destroy();
    expect(gpu.memory.bytes).toMatchObject({ kv: 0, activations: 0 });
    gpu.device.destroy();
  });

  /** A prefilled case whose logits are in `decoder.activations`. */
  async function open({ rows, prepare }: Case) {
    const cache = decoder.createCache();
    const ids = Array.from({ length: rows }, (_, i) => 10 + ((i * 7919 + rows) % 700));
    await decoder.prefill({ cache, ids: promptIds(ids) });
    return { cache, hook: await prepare?.(cache, decoder) };
  }

  async function close(cache: KvCache, hook: DecodeHook | undefined): Promise<number> {
    if (hook instanceof Eviction) await hook.finish();
    const rows = cache.rows(0);
    cache.destroy();
    return rows;
  }

  async function alone(given: Case) {
    const { cache, hook } = await open(given);
    const args = { cache, hook, sampling: given.sampling, maxNewTokens: given.steps, stopIds: [] };
    const tokens: SampledToken[] = [];
    for await (const token of generate(decoder, args)) tokens.push(token);
    return { tokens, rows: await close(cache, hook) };
  }

  it("sample what each samples alone, while some end before others", async () => {
    const expected = [];
    for (const given of CASES) expected.push(await alone(given));
    const sequences: Sequence[] = [];
    for (const given of CASES) {
      const { cache, hook } = await open(given);
      const logits = gpu.memory.storage("activations", "logits", decoder.activations.logits.size);
      const encoder = gpu.device.createCommandEncoder();
      encoder.copyBufferToBuffer(decoder.activations.logits, 0, logits, 0, logits.size);
      gpu.device.queue.submit([encoder.finish()]);
      const { sampling, steps: maxNewTokens } = given;
      sequences.push({ cache, hook, sampling, maxNewTokens, logits });
    }
    const batch = new BatchSteps(decoder, sequences);
    const found = new Map(sequences.map((sequence) => [sequence, [] as SampledToken[]]));
    while (batch.sequences.length > 0) {
      const running = batch.sequences;
      const tokens = await batch.submit();
      for (const [row, sequence] of running.entries()) {
        found.get(sequence)!.push(tokens[row]!);
        if (batch.left(sequence) === 0) batch.drop(sequence);
      }
    }
    batch.destroy();
    for (const [at, sequence] of sequences.entries()) {
      const { tokens, rows } = expected[at]!;
      const together = found.get(sequence)!;
      expect(together.map(({ id }) => id)).toEqual(tokens.map(({ id }) => id));
      const logs = [together, tokens].map((list) =>
        Float32Array.from(list, ({ logProbability }) => logProbability),
      );
      expect(maxError(logs[0]!, logs[1]!)).toBeLessThan(TOLERANCE);
      gpu.memory.destroy(sequence.logits);
      expect(await close(sequence.cache, sequence.hook)).toBe(rows);
    }
  });

  it("go on while the oldest step is read, and are read in order", async () => {
    const given = CASES[0]!;
    const { tokens } = await alone(given);
    const sequences: Sequence[] = [];
    for (let i = 0; i < 2; i++) {
      const { cache } = await open(given);
      const { logits } = decoder.activations;
      sequences.push({ cache, sampling: GREEDY, maxNewTokens: given.steps, logits });
    }
    const batch = new BatchSteps(decoder, sequences);
    const flying = [batch.submit(), batch.submit()];
    await expect(batch.submit()).rejects.toThrow("in flight");
    const ids = (await Promise.all(flying)).map((row) => row.map(({ id }) => id));
    expect(ids).toEqual(tokens.slice(0, 2).map(({ id }) => [id, id]));
    batch.destroy();
    for (const { cache } of sequences) cache.destroy();
  });

  it("are refused beyond what a product takes at once", () => {
    const many = new Array<Sequence>(MOST_SEQUENCES + 1);
    expect(() => new BatchSteps(decoder, many)).toThrow(RangeError);
  });
});
