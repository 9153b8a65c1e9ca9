import { afterAll, expect, test } from "vitest";
import { createNodeGpu } from "../../cli/shared/dawn";
import { PLAIN } from "../gpu/variants";
import { Decoder } from "../model/decoder/decoder";
import { timeLatency } from "./latency";
import { noiseWeights, shapeConfig } from "./shapes";
import { filledCache, timeSteps } from "./stepCases";

const gpu = await createNodeGpu();
afterAll(() => gpu.device.destroy());

test("weights and cache of noise are f16 numbers of both signs in their range", async () => {
  const config = shapeConfig("small");
  const weights = await noiseWeights(gpu, config);
  const decoder = await Decoder.create(gpu, config, weights, { variants: PLAIN, kvType: "f16" });
  const cache = await filledCache(decoder, 70);
  await expectNoise(weights.layers[1]!.down.parts[0]!.buffer, 6);
  await expectNoise(weights.head.parts[0]!.buffer, 6);
  await expectNoise(cache.layers[0]!.v, 10);

  const times = await timeSteps(decoder, cache, 2, undefined);
  expect(times.wallMs).toHaveLength(2);
  expect(cache.rows(0)).toBe(70);
  const logits = await decoder.logits();
  expect(logits.every(Number.isFinite)).toBe(true);
  expect(new Set(logits).size).toBeGreaterThan(900);
  cache.destroy();

  for (const batch of [1, 2]) {
    const args = { rows: 100, share: 0.1, batch, steps: 2, repeats: 2 };
    const [full, kept] = await timeLatency(decoder, args, undefined);
    expect([full.rows, kept.rows]).toEqual([100, 10]);
    expect([full.wallMs.length, kept.wallMs.length]).toEqual([4, 4]);
    expect(full.bytes - kept.bytes).toBe(batch * 90 * 2 * 2 * 64 * 2);
  }
  decoder.destroy();
  expect(Object.values(gpu.memory.bytes).every((bytes) => bytes === 0)).toBe(true);
});

async function expectNoise(buffer: GPUBuffer, exponent: number): Promise<void> {
  const bits = [...new Uint16Array(await gpu.read(buffer))];
  const exponents = bits.map((value) => (value >> 10) & 31);
  expect(new Set(exponents)).toEqual(new Set([0, 1, 2, 3].map((more) => exponent + more)));
  const negative = bits.filter((value) => value >= 0x8000).length;
  expect(negative / bits.length).toBeCloseTo(0.5, 1);
  expect(new Set(bits).size).toBeGreaterThan(bits.length / 20);
}
