import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { PLAIN } from "@/gpu/variants";
import { createTestGpu } from "../../../test/dawn";
import { FIXTURES, type FixtureModel, loadDecoder } from "../../../test/decoderFixtures";
import { Eviction } from "../eviction/eviction";
import type { KvCache } from "../kv/cache";
import { DecodeSteps } from "./decodeSteps";
import { generate } from "./generation";
import type { DecodeHook } from "./hooks";
import { StepAttention } from "./stepAttention";
import type { SampledToken } from "./tokenReadback";

const TINY = FIXTURES[0] as FixtureModel;
const [test] = TINY.cases as [FixtureModel["cases"][0]];
const ids = Uint32Array.from(test.ids);
/** Ids that differ, so that each can be the one that stops. */
const ARGS = { sampling: { temperature: 1, topK: 0, topP: 1, seed: 5 }, maxNewTokens: 48 };

type MakeHook = (cache: KvCache) => Promise<DecodeHook>;

describe("groups of decoding steps", async () => {
  const gpu = await createTestGpu();
  const decoder = await loadDecoder(gpu, TINY, PLAIN, { chunkRows: 16 });
  const { layers, kvHeads, heads } = decoder.config;
  const submit = vi.spyOn(DecodeSteps.prototype, "submit");

  /** To `generate` steps take no time, so that groups are as large as they can be. */
  beforeEach(() => {
    vi.spyOn(performance, "now").mockReturnValue(0);
    submit.mockClear();
  });
  afterEach(() => {
    vi.mocked(performance.now).mockRestore();
  });
  afterAll(() => {
    decoder.destroy();
    expect(gpu.memory.bytes).toMatchObject({ kv: 0, activations: 0 });
    gpu.device.destroy();
  });

  async function prefilled(): Promise<KvCache> {
    const cache = decoder.createCache();
    await decoder.prefill({ cache, ids });
    return cache;
  }

  /** Tokens of steps that are submitted in groups of these sizes, two groups in flight. */
  async function inGroups(sizes: readonly number[], makeHook?: MakeHook) {
    const cache = await prefilled();
    const hook = await makeHook?.(cache);
    const steps = new DecodeSteps(decoder, { ...ARGS, cache, hook });
    const tokens: SampledToken[] = [];
    let before: Promise<readonly SampledToken[]> | undefined;
    for (const count of sizes) {
      const group = steps.submit(count);
      if (hook?.isFinal) await group;
      tokens.push(...((await before) ?? []));
      before = group;
    }
    tokens.push(...((await before) ?? []));
    steps.destroy();
    const logits = await decoder.logits();
    return { tokens, logits, cache, hook };
  }

  const SINGLE = new Array<number>(ARGS.maxNewTokens).fill(1);

  it("samples the tokens of single steps, while the cache grows", async () => {
    const single = await inGroups(SINGLE);
    const grouped = await inGroups([3, 16, 1, 12, 16]);
    expect(grouped.tokens).toEqual(single.tokens);
    expect(grouped.logits).toEqual(single.logits);
    expect(grouped.cache.rowCounts()).toEqual(single.cache.rowCounts());
    expect(grouped.cache.largestCapacity()).toBe(128);
    single.cache.destroy();
    grouped.cache.destroy();
  });

  it("samples the same tokens where room is made for a few at a time, and ends without any", async () => {
    const single = await inGroups(SINGLE);
    single.cache.destroy();
    const wanted: number[] = [];
    const most = 40;
    const makeRoom = (steps: number) => {
      wanted.push(steps);
      return Math.min(7, most - (ARGS.maxNewTokens - steps));
    };
    const cache = await prefilled();
    const seen: SampledToken[] = [];
    const steps = generate(decoder, { ...ARGS, cache, stopIds: [], makeRoom });
    let step = await steps.next();
    for (; !step.done; step = await steps.next()) {
      const { ms: _, ...token } = step.value;
      seen.push(token);
    }
    expect(step.value).toBe("memory");
    expect(seen).toEqual(single.tokens.slice(0, most));
    expect(wanted).toEqual([48, 41, 34, 27, 20, 13, 8]);
    expect(cache.rows(0)).toBe(ids.length + most);
    cache.destroy();
  });

  it("makes no buffer, bind group or pipeline in a step, but for layers that grow", async () => {
    const cache = await prefilled();
    const steps = new DecodeSteps(decoder, { ...ARGS, cache });
    await steps.submit();
    const made = (["createBuffer", "createBindGroup", "createComputePipelineAsync"] as const).map(
      (name) => vi.spyOn(gpu.device, name),
    );
    const calls = () => made.reduce((sum, { mock }) => sum + mock.calls.length, 0);
    for (let step = 0; step < 6; step++) await steps.submit();
    expect(cache.largestCapacity()).toBe(64);
    expect(calls()).toBe(0);
    await steps.submit(16);
    expect(cache.largestCapacity()).toBe(128);
    expect(calls()).toBeGreaterThan(0);
    for (const spy of made) spy.mockRestore();
    steps.destroy();
    cache.destroy();
  });

  it("stops at each place of a group, and goes on as if no later step had run", async () => {
    const { tokens, cache: whole } = await inGroups(SINGLE);
    whole.destroy();
    const all = tokens.map(({ id }) => id);
    const places = all.flatMap((id, at) => (at > 18 && all.indexOf(id) === at ? [at] : []));
    expect(places.length).toBeGreaterThan(10);
    for (const place of places) {
      const cache = await prefilled();
      const seen: SampledToken[] = [];
      const args = { ...ARGS, cache, stopIds: [all[place] as number] };
      for await (const { ms: _, ...token } of generate(decoder, args)) seen.push(token);
      expect(seen).toEqual(tokens.slice(0, place + 1));
      expect([cache.rows(0), cache.rows(2, 1), cache.seen]).toEqual(
        new Array(3).fill(ids.length + place + 1),
      );
      await decoder.prefill({ cache, ids: Uint32Array.of(7) });
      const next = await decoder.logits();
      cache.destroy();
      if (place % 4 > 0) continue;
      const again = await prefilled();
      const shorter = { ...ARGS, cache: again, stopIds: [], maxNewTokens: place + 1 };
      for await (const { id } of generate(decoder, shorter)) expect(all).toContain(id);
      await decoder.prefill({ cache: again, ids: Uint32Array.of(7) });
      expect(await decoder.logits()).toEqual(next);
      again.destroy();
    }
    expect(Math.max(...submit.mock.calls.map(([count = 1]) => count))).toBeGreaterThan(4);
  });

  it("records the attention of single steps", async () => {
    const watch = (cache: KvCache) =>
      StepAttention.create({ cache, heads, positions: [1, 5, 17], steps: ARGS.maxNewTokens });
    const [single, grouped] = [await inGroups(SINGLE, watch), await inGroups([16, 16, 16], watch)];
    const cells = await Promise.all(
      [single, grouped].map(({ hook }) => (hook as StepAttention).read(ARGS.maxNewTokens)),
    );
    expect(new Set(cells[0]).size).toBeGreaterThan(10);
    expect(cells[1]).toEqual(cells[0]);
    for (const { hook, cache } of [single, grouped]) {
      (hook as StepAttention).destroy();
      cache.destroy();
    }
  });

  it("takes one step at a time with a rule that evicts rows", async () => {
    const start = Array.from({ length: layers }, () => new Array<number>(kvHeads).fill(0));
    const held = ids.length + 4;
    const rule = {
      due: (_: number, rows: number) => Math.max(0, rows - held),
      victim: { kind: "age", index: () => 4 } as const,
    };
    const evict: MakeHook = (cache) =>
      Eviction.create({ cache, heads, rule, start, seenBefore: 0 });
    const single = await inGroups(SINGLE, evict);
    await (single.hook as Eviction).finish();
    submit.mockClear();
    const cache = await prefilled();
    const hook = await evict(cache);
    const tokens: SampledToken[] = [];
    for await (const { ms: _, ...token } of generate(decoder, {
      ...ARGS,
      cache,
      hook,
      stopIds: [],
    })) {
      tokens.push(token);
    }
    await (hook as Eviction).finish();
    expect(tokens).toEqual(single.tokens);
    expect(submit.mock.calls.every(([count]) => count === 1)).toBe(true);
    expect([cache.rows(0), cache.positions(0)]).toEqual([held, single.cache.positions(0)]);
    cache.destroy();
    single.cache.destroy();
  });
});
