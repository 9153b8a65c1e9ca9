import { afterAll, expect, it } from "vitest";
import { GREEDY } from "@/gpu/kernels/sampling/sample";
import { PLAIN } from "@/gpu/variants";
import { CpuDecoder, openRows } from "../../../test/cpuDecoder";
import { createTestGpu } from "../../../test/dawn";
import { FIXTURES, loadDecoder } from "../../../test/decoderFixtures";
import { maxError } from "../../../test/kernels";
import { generate } from "./generation";

/** f32 in another order of additions, through three layers. */
const TOLERANCE = 1e-4;

const gpu = await createTestGpu();
afterAll(() => gpu.device.destroy());

const model = FIXTURES.find(({ name }) => name === "tiny-6over2-f32")!;

it("computes some rows of a prompt, at their own positions, across chunks", async () => {
  const cpu = new CpuDecoder(model.path);
  const decoder = await loadDecoder(gpu, model, PLAIN, { chunkRows: 8 });
  const ids = Uint32Array.from({ length: 40 }, (_, i) => 10 + ((i * 37) % 300));
  const kept = Uint32Array.from([0, 1, 2, 5, 6, 7, 8, 9, 15, 16, 20, 21, 22, 23, 37, 38, 39]);
  const empty = Array.from({ length: cpu.config.layers }, () =>
    Array.from({ length: cpu.config.kvHeads }, () => ({ k: [], v: [] })),
  );
  const rows = openRows(empty);
  let logits = new Float32Array();
  for (const row of kept) logits = cpu.step(ids[row]!, row, rows);

  const cache = decoder.createCache();
  const told: number[] = [];
  await decoder.prefill({ cache, ids, kept, onProgress: (done) => told.push(done) });
  expect(maxError(await decoder.logits(), logits)).toBeLessThan(TOLERANCE);
  expect(told).toEqual([8, 16, 17]);
  expect([cache.seen, cache.position, cache.rows(0)]).toEqual([40, 40, 17]);
  expect(cache.positions(2)).toEqual([...kept]);

  let position = 40;
  const args = { cache, maxNewTokens: 3, stopIds: [], sampling: GREEDY };
  for await (const { id } of generate(decoder, args)) {
    expect(id).toBe(logits.indexOf(Math.max(...logits)));
    logits = cpu.step(id, position++, rows);
  }
  expect(maxError(await decoder.logits(), logits)).toBeLessThan(TOLERANCE);
  cache.destroy();
  decoder.destroy();
});

it("removes what a stopped prefill has appended", async () => {
  const decoder = await loadDecoder(gpu, model, PLAIN, { chunkRows: 8 });
  const cache = decoder.createCache();
  await decoder.prefill({ cache, ids: Uint32Array.of(5, 6, 7) });
  const stop = new AbortController();
  const ids = new Uint32Array(40).fill(9);
  const kept = Uint32Array.from({ length: 20 }, (_, i) => 2 * i + 1);
  const onProgress = () => stop.abort();
  const prefill = decoder.prefill({ cache, ids, kept, signal: stop.signal, onProgress });
  await expect(prefill).rejects.toThrow();
  expect([cache.seen, cache.rows(1), cache.positions(1)]).toEqual([3, 3, [0, 1, 2]]);
  cache.destroy();
  decoder.destroy();
});
