import type { Gpu } from "@/gpu/gpu";
import { foldGroups } from "@/gpu/kernels/common/reduction";
import { createMatmul, MATMUL_TILES } from "@/gpu/kernels/matmul/matmul";
import code from "./matmul_trial.wgsl?raw";
import { dispatchTime, type Trial, type TrialContext } from "./passTime";

/** Tile of `matmul_trial.wgsl`: 8 `high` rows by 8 `wide` columns, `depth4` vec4 of the depth a step. */
export interface TrialTile {
  readonly high: number;
  readonly wide: number;
  readonly depth4: number;
}

export const TRIAL_TILES: readonly TrialTile[] = [
  { high: 16, wide: 16, depth4: 2 },
  { high: 16, wide: 16, depth4: 4 },
  { high: 8, wide: 16, depth4: 2 },
  { high: 8, wide: 16, depth4: 4 },
  { high: 16, wide: 8, depth4: 4 },
  { high: 8, wide: 8, depth4: 2 },
  { high: 8, wide: 8, depth4: 4 },
  { high: 8, wide: 4, depth4: 2 },
];

/** Columns and depth of the products of a prefill; all are multiples of every tile. */
const PRODUCTS = [
  ["1.1B qkv", 2560, 2048],
  ["1.1B output", 2048, 2048],
  ["1.1B gate and up", 11_264, 2048],
  ["1.1B down", 2048, 5632],
  ["256M qkv", 896, 576],
  ["256M gate and up", 3072, 576],
  ["256M down", 512, 1536],
] as const;
const ROWS = [256, 512, 1024];
const REPEATS = 6;

export function compileMatmulTrial(gpu: Gpu, { high, wide, depth4 }: TrialTile) {
  return gpu.compile({
    label: `matmul_trial ${8 * high} × ${8 * wide}`,
    code: [code],
    access: ["read", "read", "write"],
    params: { rows: "u32", columns: "u32", depth4: "u32" },
    constants: {
      HIGH: high,
      WIDE: wide,
      DEPTH4: depth4,
      WORKGROUP: high * wide,
      BLOCKS: Math.ceil((2 * (high + wide) * depth4) / (high * wide)),
    },
  });
}

/** Our tiles, and tiles of 8 × 8 products an invocation. */
export async function timeMatmul(
  context: TrialContext,
  products: readonly (readonly [string, number, number])[] = PRODUCTS,
  rowCounts: readonly number[] = ROWS,
  trialTiles: readonly TrialTile[] = TRIAL_TILES,
): Promise<Trial[]> {
  const { gpu } = context;
  const tiles = await Promise.all(trialTiles.map((tile) => compileMatmulTrial(gpu, tile)));
  const ours = await Promise.all(
    (products === PRODUCTS ? MATMUL_TILES : []).map((tile) =>
      createMatmul(gpu, { variant: "tiled", dtype: "f16", store: "bias", tile }),
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
      for (const [index, kernel] of tiles.entries()) {
        const { high, wide, depth4 } = trialTiles[index]!;
        const groups = foldGroups((rows / (8 * high)) * (columns / (8 * wide)));
        const us = await dispatchTime(context, (recorder) => {
          for (let i = 0; i < REPEATS; i++) {
            recorder.dispatch(kernel, {
              buffers: [input, weights, output],
              params: { rows, columns, depth4: depth / 4 },
              groups,
            });
          }
        });
        trials.push({ work, variant: `${8 * high} × ${8 * wide} × ${4 * depth4}`, us, flops });
      }
      const parts = [{ buffer: weights, firstRow: 0, rows: columns }];
      const matrix = { label: work, dtype: "f16", rows: columns, columns: depth, parts } as const;
      for (const [index, run] of ours.entries()) {
        const us = await dispatchTime(context, (recorder) => {
          for (let i = 0; i < REPEATS; i++) {
            run(recorder, { input, matrix, bias: input, output, rows });
          }
        });
        trials.push({ work, variant: `ours, ${MATMUL_TILES[index]}`, us, flops });
      }
    }
  }
  for (const buffer of [input, output, weights]) gpu.memory.destroy(buffer);
  return trials;
}
