import { createMatmul, MATMUL_BLOCKS } from "@/gpu/kernels/matmul/matmul";
import { dispatchTime, type Trial, type TrialContext } from "./trial";

/** Columns and depth of the products of a prefill. */
const PRODUCTS = [
  ["1.1B qkv", 2560, 2048],
  ["1.1B output", 2048, 2048],
  ["1.1B gate and up", 11_264, 2048],
  ["1.1B down", 2048, 5632],
  ["256M qkv", 960, 576],
  ["256M gate and up", 3072, 576],
  ["256M down", 576, 1536],
] as const;
const ROWS = [256, 512, 1024];
const REPEATS = 6;
const BLOCKS = MATMUL_BLOCKS.filter((block) => !block.startsWith("narrow"));
const VARIANTS = ["tiled", "tiledF16"] as const;

/** Our blocks on products of several sizes. */
export async function timeMatmul(
  context: TrialContext,
  products: readonly (readonly [string, number, number])[] = PRODUCTS,
  rowCounts: readonly number[] = ROWS,
): Promise<Trial[]> {
  const { gpu } = context;
  const variants = VARIANTS.slice(0, gpu.features.f16 ? 2 : 1);
  const kernels = await Promise.all(
    variants.flatMap((variant) =>
      BLOCKS.map(async (block) => ({
        name: `${variant} ${block}`,
        run: await createMatmul(gpu, { variant, dtype: "f16", store: "bias", block }),
      })),
    ),
  );
  const most = Math.max(...products.flatMap(([, columns, depth]) => [columns, depth]));
  const storage = (label: string, bytes: number) =>
    gpu.memory.storage("activations", `matmul trial ${label}`, bytes);
  const input = storage("input", 4 * most * Math.max(...rowCounts));
  const output = storage("output", 4 * most * Math.max(...rowCounts));
  const weights = storage("weights", Math.max(...products.map(([, c, d]) => 2 * c * d)));
  const trials: Trial[] = [];
  for (const rows of rowCounts) {
    for (const [name, columns, depth] of products) {
      const flops = 2 * rows * columns * depth;
      const work = `${name}, ${rows} rows`;
      const parts = [{ buffer: weights, firstRow: 0, rows: columns }];
      const matrix = { label: work, dtype: "f16", rows: columns, columns: depth, parts } as const;
      for (const { name: variant, run } of kernels) {
        const us = await dispatchTime(context, (recorder) => {
          for (let i = 0; i < REPEATS; i++) {
            run(recorder, { input, matrix, bias: input, output, rows });
          }
        });
        trials.push({ work, variant, us, flops });
      }
    }
  }
  for (const buffer of [input, output, weights]) gpu.memory.destroy(buffer);
  return trials;
}
