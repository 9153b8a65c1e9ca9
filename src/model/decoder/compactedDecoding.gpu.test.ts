import { describe, expect, it } from "vitest";
import { createRandom } from "@/compression/blocks/randomness";
import type { KeepPlan } from "@/compression/types";
import { GREEDY } from "@/gpu/kernels/sampling/sample";
import { type OpenRows, openRows } from "../../../test/cpuDecoder";
import { FIXTURES, prepare } from "../../../test/decoderFixtures";
import { maxError } from "../../../test/kernels";
import { mergeOnCpu, readCache } from "../../../test/kv";
import { prefilledPrompt } from "../../../test/prefilledPrompt";
import { Eviction } from "../eviction/eviction";
import type { KvCache } from "../kv/cache";
import { compact, gatherFork } from "../kv/compaction";
import { TapRecorder } from "../taps/taps";
import { generate } from "./generation";

/** The same f32 rows attended to in another order, through three layers. */
const TOLERANCE = 1e-4;
const NEW_TOKENS = 6;

const model = FIXTURES.find(({ name }) => name === "tiny-6over2-f32")!;
const test = model.cases.find(({ rows }) => rows === 600)!;
const NEXT_QUESTION = Uint32Array.of(17, 400, 23, 999, 5, 31, 100);

describe("decoding on a compacted cache", async () => {
  const prompted = await prefilledPrompt(model, test);
  const { gpu, decoder, cpu, prefilled, full, start } = prompted;
  const { fork, keptRows, masked, randomKeep } = prompted;
  const { layers, kvHeads, heads } = cpu.config;

  /** Greedy decoding of both, and a further question: the same logits at its end. */
  async function expectSame(cache: KvCache, rows: OpenRows): Promise<void> {
    let logits = await decoder.logits();
    let position = test.rows;
    for await (const { id } of generate(decoder, {
      cache,
      sampling: GREEDY,
      maxNewTokens: NEW_TOKENS,
      stopIds: [],
    })) {
      expect(id).toBe(logits.indexOf(Math.max(...logits)));
      logits = cpu.step(id, position++, rows);
    }
    expect(maxError(await decoder.logits(), logits)).toBeLessThan(TOLERANCE);
    await decoder.prefill({ cache, ids: NEXT_QUESTION });
    for (const id of NEXT_QUESTION) logits = cpu.step(id, position++, rows);
    expect(maxError(await decoder.logits(), logits)).toBeLessThan(TOLERANCE);
  }

  const perLayer: KeepPlan = {
    layers: [0.1, 0.55, 1].map((share, layer) => ({ keep: [randomKeep(share, layer)] })),
  };
  const perHead: KeepPlan = {
    layers: [0, 1, 2].map((layer) => ({
      keep: [randomKeep(0.3, 10 + layer), randomKeep(0.05 + 0.3 * layer, 20 + layer)],
    })),
  };

  it.each([
    ["one list per layer", perLayer],
    ["lists per head of other lengths", perHead],
  ])("attends like a masked full cache: %s", async (_, plan) => {
    const cache = fork();
    await compact(cache, plan, start);
    await expectSame(cache, masked(plan));
    cache.destroy();

    const gathered = await gatherFork(prefilled, plan, start);
    prompted.restoreLogits();
    await expectSame(gathered, masked(plan));
    gathered.destroy();
  });

  it("attends to merged rows like a gather on the CPU", async () => {
    const plan: KeepPlan = {
      layers: perHead.layers.map(({ keep }, layer) => {
        const random = createRandom(layer);
        const into = keep.map((kept) =>
          Int32Array.from({ length: test.rows }, () =>
            random() < 0.5 ? kept[Math.floor(random() * kept.length)]! : -1,
          ),
        );
        return { keep, merge: { kind: "assign", rule: "mean", into } };
      }),
    };
    const cache = fork();
    await compact(cache, plan, start);
    const kept = keptRows(plan);
    const merged = full.map((heads, layer) =>
      heads.map((rows, head) => {
        const { merge } = plan.layers[layer]!;
        const into = merge?.kind === "assign" ? merge.into[head] : undefined;
        return mergeOnCpu(rows, {
          base: 0,
          kept: Uint32Array.from(kept[layer]![head]!),
          rule: "mean",
          into,
        });
      }),
    );
    await expectSame(cache, openRows(merged));
    cache.destroy();
  });

  it("evicts while decoding like lists on the CPU", async () => {
    const cache = fork();
    await compact(cache, perHead, start);
    const rows = masked(perHead);
    const bound = rows.map((heads) => heads.map(({ k }) => k.length));
    const rule = {
      due: (layer: number, count: number) => (bound[layer]!.includes(count - 1) ? 1 : 0),
      victim: { kind: "age", index: () => 4 } as const,
    };
    const hook = await Eviction.create({ cache, heads, rule, start, seenBefore: 0 });
    let position = test.rows;
    let logits = await decoder.logits();
    const args = { cache, sampling: GREEDY, maxNewTokens: 70, stopIds: [], hook };
    for await (const { id } of generate(decoder, args)) {
      logits = cpu.step(id, position++, rows);
      for (const { k, v } of rows.flat()) {
        k.splice(4, 1);
        v.splice(4, 1);
      }
    }
    await hook.finish();
    expect(cache.rowCounts()).toEqual(bound);
    expect(maxError(await decoder.logits(), logits)).toBeLessThan(TOLERANCE);
    const left = await readCache(cache);
    for (const [layer, heads] of left.entries()) {
      for (const [head, { k }] of heads.entries()) {
        const expected = rows[layer]![head]!.k;
        expect(k.length).toBe(expected.length);
        for (const [row, key] of k.entries()) {
          expect(maxError(Float32Array.from(key), expected[row]!)).toBeLessThan(TOLERANCE);
        }
      }
    }
    cache.destroy();
  });

  it("records taps whose rows have the mass of attention", async () => {
    const cache = decoder.createCache();
    const spec = { columnSum: true, lastRow: true } as const;
    const [span] = test.imageSpans;
    const prompt = {
      rows: test.rows,
      visual: [{ start: span![0], end: span![1] }],
      textStart: test.imageSpans.at(-1)![1],
    };
    const hook = await TapRecorder.create(gpu, { cache, heads, spec, prompt, reduction: "one" });
    const { buffer, ...ids } = prepare(decoder, test);
    await decoder.prefill({ cache, ...ids, hook });
    gpu.memory.destroy(buffer);
    const { columnSum, lastRow } = await hook.finish();
    for (let head = 0; head < layers * kvHeads; head++) {
      const sum = (data: Float32Array) =>
        data.subarray(head * test.rows, (head + 1) * test.rows).reduce((a, b) => a + b, 0);
      expect(sum(columnSum!.data)).toBeCloseTo(test.rows, 2);
      expect(sum(lastRow!.data)).toBeCloseTo(1, 4);
    }
    cache.destroy();
  });
});
