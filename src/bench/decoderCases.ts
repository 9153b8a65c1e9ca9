import type { Gpu } from "@/gpu/gpu";
import { createMatmul, type MatmulVariant } from "@/gpu/kernels/matmul/matmul";
import type { Decoder } from "@/model/decoder/decoder";
import { generate } from "@/model/decoder/generation";
import type { uploadPrompt } from "./fixture";
import { GREEDY } from "./stepCases";

/** Starts a measurement; the returned function gives the value so far. */
export type Clock<T> = () => () => T;

/** A prefill and greedy decoding steps in a new cache. */
export async function timeAnswer<T>(
  decoder: Decoder,
  prompt: Omit<ReturnType<typeof uploadPrompt>, "buffer">,
  maxNewTokens: number,
  clock: Clock<T>,
): Promise<{
  readonly prefill: T;
  readonly decode: T;
  /** Milliseconds of every step. */
  readonly steps: readonly number[];
}> {
  const cache = decoder.createCache();
  const prefilling = clock();
  await decoder.prefill({ cache, ...prompt });
  const prefill = prefilling();
  const steps: number[] = [];
  const decoding = clock();
  const args = { cache, sampling: GREEDY, maxNewTokens, stopIds: [] };
  for await (const { ms } of generate(decoder, args)) steps.push(ms);
  const decode = decoding();
  cache.destroy();
  return { prefill, decode, steps };
}

/** Matrix products with a batch of rows, in GFLOP/s: the best of five rounds. */
export async function matmulRate(gpu: Gpu, variant: MatmulVariant): Promise<number> {
  const [rows, depth, columns, repeats] = [256, 256, 768, 4];
  const run = await createMatmul(gpu, { variant, dtype: "f16", store: "bias" });
  const [input, weights, bias, output] = [
    rows * depth * 4,
    columns * depth * 2,
    columns * 4,
    rows * columns * 4,
  ].map((bytes) => gpu.memory.storage("activations", "bench", bytes)) as [
    GPUBuffer,
    GPUBuffer,
    GPUBuffer,
    GPUBuffer,
  ];
  const parts = [{ buffer: weights, firstRow: 0, rows: columns }];
  const matrix = { label: "bench", dtype: "f16" as const, rows: columns, columns: depth, parts };
  const recorder = gpu.recorder("bench", repeats);
  const rates = [];
  for (let round = 0; round < 5; round++) {
    for (let i = 0; i < repeats; i++) run(recorder, { input, matrix, bias, output, rows });
    const start = performance.now();
    recorder.submit();
    await gpu.device.queue.onSubmittedWorkDone();
    rates.push((2 * rows * depth * columns * repeats) / (performance.now() - start) / 1e6);
  }
  for (const buffer of [input, weights, bias, output]) gpu.memory.destroy(buffer);
  recorder.destroy();
  return Math.max(...rates);
}
