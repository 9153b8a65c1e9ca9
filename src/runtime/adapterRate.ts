import type { AdapterFacts } from "@/gpu/device";
import type { Gpu } from "@/gpu/gpu";
import type { Matrix } from "@/gpu/kernels/common/matrix";
import { createDecodeKernels } from "@/gpu/kernels/decode/decode";
import { createMatmul } from "@/gpu/kernels/matmul/matmul";
import type { Recorder } from "@/gpu/recorder";
import { chooseVariants } from "@/gpu/variants";
import type { AdapterRate } from "@/protocol/engine";

/** The measured matrix [SIDE × TALL, SIDE]: too large for a cache, and of a real decoder's width. */
const SIDE = 2048;
/** Rows of the matrix product, as in a chunk of a prefill. */
const ROWS = 256;
const ROUNDS = 3;

/**
 * Reads a matrix by a matrix–vector product, as decoding does, and multiplies it with many rows, as a prefill
 * does. The best of several rounds; a GPU gets a larger matrix and more work per submit, so that the submit
 * itself costs little.
 */
export async function measureRate(gpu: Gpu, { isFallback }: AdapterFacts): Promise<AdapterRate> {
  const { memory } = gpu;
  const tall = isFallback ? 1 : 8;
  const [rows, columns] = [SIDE * tall, SIDE];
  const { reduction, matmul: variant } = chooseVariants({
    ...{ isFallback, hasSubgroups: gpu.features.subgroups },
  });
  const spec = { reduction, dtype: "f16", kvType: "f16" } as const;
  const size = { rows, columns };
  const [{ project }, multiply] = await Promise.all([
    createDecodeKernels(gpu, {
      ...spec,
      sizes: { qkv: size, output: size, gateUp: size, down: size, head: size },
    }),
    createMatmul(gpu, { variant, dtype: "f16", store: "bias" }),
  ]);
  const buffers = [rows * columns * 2, ROWS * columns * 4, rows * 4, ROWS * rows * 4].map((bytes) =>
    memory.storage("activations", "rate", bytes),
  );
  const [weights, input, bias, output] = buffers as [GPUBuffer, GPUBuffer, GPUBuffer, GPUBuffer];
  const parts = [{ buffer: weights, firstRow: 0, rows }];
  const matrix: Matrix = { label: "rate", dtype: "f16", rows, columns, parts };
  const args = { input, matrix, bias, output };
  try {
    const repeats = isFallback ? 2 : 32;
    const reading = await shortest(gpu, repeats, (recorder) => project(recorder, args));
    const products = isFallback ? 1 : 4;
    const multiplying = await shortest(gpu, products, (recorder) =>
      multiply(recorder, { ...args, rows: isFallback ? ROWS / 8 : ROWS }),
    );
    return {
      bytesPerSecond: (repeats * rows * columns * 2) / reading,
      flopsPerSecond:
        (products * 2 * (isFallback ? ROWS / 8 : ROWS) * rows * columns) / multiplying,
      isFallback,
    };
  } finally {
    for (const buffer of buffers) memory.destroy(buffer);
  }
}

/** Seconds of a submit with `repeats` dispatches, the best of several. */
async function shortest(
  gpu: Gpu,
  repeats: number,
  record: (recorder: Recorder) => void,
): Promise<number> {
  const recorder = gpu.recorder("rate", repeats);
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    for (let i = 0; i < repeats; i++) record(recorder);
    const start = performance.now();
    recorder.submit();
    await gpu.device.queue.onSubmittedWorkDone();
    best = Math.min(best, (performance.now() - start) / 1000);
  }
  recorder.destroy();
  return best;
}
