import type { AdapterFacts } from "@/gpu/device";
import type { Gpu } from "@/gpu/gpu";
import type { Matrix } from "@/gpu/kernels/common/matrix";
import { createDecodeKernels } from "@/gpu/kernels/decode/decode";
import { createMatmul } from "@/gpu/kernels/matmul/matmul";
import type { Recorder } from "@/gpu/recorder";
import { chooseVariants } from "@/gpu/variants";
import type { AdapterRate } from "@/protocol/model";

const BYTES = 2; // of an f16 weight
const ROUNDS = 3;

interface Sizes {
  /** The matrix, [rows, columns]: too large for a cache, and as wide as a decoder's. */
  readonly matrix: { readonly rows: number; readonly columns: number };
  /** Rows of the matrix product's other factor, as in a chunk of a prefill. */
  readonly chunk: number;
  /** Dispatches per submit: matrix–vector products, and matrix products. */
  readonly repeats: { readonly vector: number; readonly chunk: number };
}

const SOFTWARE: Sizes = {
  matrix: { rows: 2048, columns: 2048 },
  chunk: 32,
  repeats: { vector: 2, chunk: 1 },
};
/** More work per submit, so that the submit itself costs little. */
const HARDWARE: Sizes = {
  matrix: { rows: 8 * 2048, columns: 2048 },
  chunk: 256,
  repeats: { vector: 32, chunk: 4 },
};

/**
 * Reads a matrix by a matrix–vector product, as decoding does, and multiplies it with many rows, as a
 * prefill does. The best of several rounds.
 * @throws OutOfMemoryError
 */
export async function measureRate(
  gpu: Gpu,
  { isFallback }: Pick<AdapterFacts, "isFallback">,
): Promise<AdapterRate> {
  const { memory } = gpu;
  const { matrix: size, chunk, repeats } = isFallback ? SOFTWARE : HARDWARE;
  const { rows, columns } = size;
  const { project, multiply } = await compileProducts(gpu, isFallback, size);
  const sizes = [rows * columns * BYTES, chunk * columns * 4, rows * 4, chunk * rows * 4];
  const buffers = memory.allOrNothing(() =>
    sizes.map((bytes) => memory.storage("activations", "rate", bytes)),
  );
  const [weights, input, bias, output] = buffers as [GPUBuffer, GPUBuffer, GPUBuffer, GPUBuffer];
  const parts = [{ buffer: weights, firstRow: 0, rows }];
  const matrix: Matrix = { label: "rate", dtype: "f16", rows, columns, parts };
  const args = { input, matrix, bias, output };
  try {
    await memory.granted();
    const reading = await shortest(gpu, repeats.vector, (recorder) => project(recorder, args));
    const multiplying = await shortest(gpu, repeats.chunk, (recorder) =>
      multiply(recorder, { ...args, rows: chunk }),
    );
    return {
      bytesPerSecond: (repeats.vector * rows * columns * BYTES) / reading,
      flopsPerSecond: (repeats.chunk * 2 * chunk * rows * columns) / multiplying,
      isFallback,
    };
  } finally {
    for (const buffer of buffers) memory.destroy(buffer);
  }
}

/** The products of a decoding step and of a prefill, for f16 weights. */
async function compileProducts(gpu: Gpu, isFallback: boolean, size: Sizes["matrix"]) {
  const hasSubgroups = gpu.features.subgroups;
  const { reduction, matmul: variant } = chooseVariants({ isFallback, hasSubgroups });
  const sizes = { qkv: size, output: size, gateUp: size, down: size, head: size };
  const [{ project }, multiply] = await Promise.all([
    createDecodeKernels(gpu, { reduction, dtype: "f16", kvType: "f16", sizes }),
    createMatmul(gpu, { variant, dtype: "f16", store: "bias" }),
  ]);
  return { project, multiply };
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
