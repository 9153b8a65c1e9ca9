import { afterAll, expect } from "vitest";
import { createRandom } from "@/compression/blocks/randomness";
import type { KeepPlan } from "@/compression/types";
import { PLAIN } from "@/gpu/variants";
import type { KvCache } from "@/model/kv/cache";
import { NO_MEMORY } from "@/protocol/event";
import { CpuDecoder, type OpenRows, openRows } from "./cpuDecoder";
import { createTestGpu } from "./dawn";
import { type FixtureCase, type FixtureModel, loadDecoder, prepare } from "./decoderFixtures";
import { forkOf, readCache } from "./kv";

/**
 * A decoder whose cache has a fixture's prompt, and the same on the CPU. For a `describe`, whose tests fork the
 * cache; after them all is freed.
 */
export async function prefilledPrompt(model: FixtureModel, test: FixtureCase) {
  const gpu = await createTestGpu();
  const decoder = await loadDecoder(gpu, model, PLAIN);
  const prefilled = decoder.createCache();
  const { buffer, ...prompt } = prepare(decoder, test);
  await decoder.prefill({ cache: prefilled, ...prompt });
  gpu.memory.destroy(buffer);
  /** [layer][head] rows of the prompt. */
  const full = await readCache(prefilled);
  const logits = await decoder.logits();
  afterAll(() => {
    prefilled.destroy();
    decoder.destroy();
    expect(gpu.memory.bytes).toEqual(NO_MEMORY);
    gpu.device.destroy();
  });

  const cpu = new CpuDecoder(model.path);
  const { layers, kvHeads } = cpu.config;
  /** Rows before the prompt: none. */
  const start = Array.from({ length: layers }, () => new Array<number>(kvHeads).fill(0));

  /** Puts the last row's logits where generation starts from. */
  const restoreLogits = () => gpu.device.queue.writeBuffer(decoder.activations.logits, 0, logits);

  function fork(): KvCache {
    restoreLogits();
    return forkOf(prefilled);
  }

  /** [layer][head] rows that a plan keeps. */
  const keptRows = (plan: KeepPlan): number[][][] =>
    plan.layers.map(({ keep }) =>
      Array.from({ length: kvHeads }, (_, head) => [...keep[keep.length === 1 ? 0 : head]!]),
    );

  /** The full cache without what a plan drops, on the CPU. */
  function masked(plan: KeepPlan): OpenRows {
    const kept = keptRows(plan);
    return openRows(
      full.map((heads, layer) =>
        heads.map(({ k, v }, head) => {
          const list = kept[layer]![head]!;
          return { k: list.map((row) => k[row]!), v: list.map((row) => v[row]!) };
        }),
      ),
    );
  }

  function randomKeep(share: number, seed: number): Uint32Array {
    const random = createRandom(seed);
    return Uint32Array.from([...Array(test.rows).keys()].filter(() => random() < share));
  }

  return {
    ...{ gpu, decoder, cpu, prefilled, full, start },
    ...{ restoreLogits, fork, keptRows, masked, randomKeep },
  };
}
