import { createAttend } from "@/gpu/kernels/attention/attend";
import { createFlash, FLASH_HEIGHTS, type FlashVariant } from "@/gpu/kernels/attention/flash";
import type { Reduction } from "@/gpu/kernels/common/reduction";
import { dispatchTime, type Trial, type TrialContext } from "./trial";

/** Name, query heads, heads of the cache, head size. */
type Shape = readonly [string, number, number, number];

const MODELS: readonly Shape[] = [
  ["1.1B", 32, 4, 64],
  ["256M", 9, 3, 64],
  ["7B", 32, 32, 128],
];
const ROWS = [600, 1000, 2000, 8000, 32_000];
/** Rows of a chunk of a prefill. */
const CHUNK = [256, 1024];
const MOST_CHUNK_ROWS = 8000;
const CACHE_BYTES = 2 ** 27;
const COUNT = 32;

export interface AttentionTrials {
  readonly reduction: Reduction;
  readonly flash: FlashVariant;
  readonly shapes?: readonly Shape[];
  readonly rowCounts?: readonly number[];
}

/** One layer's attention of a decoding step, and of a chunk of a prefill. */
export async function timeAttention(
  context: TrialContext,
  { reduction, flash, shapes = MODELS, rowCounts = ROWS }: AttentionTrials,
): Promise<Trial[]> {
  const trials: Trial[] = [];
  const chunks = shapes === MODELS ? CHUNK : [32];
  for (const shape of shapes) {
    for (const rows of rowCounts) {
      trials.push(...(await timeShape(context, { reduction, flash }, shape, rows, chunks)));
    }
  }
  return trials;
}

async function timeShape(
  context: TrialContext,
  { reduction, flash: variant }: Pick<AttentionTrials, "reduction" | "flash">,
  [model, heads, kvHeads, headDim]: Shape,
  rows: number,
  chunks: readonly number[],
): Promise<Trial[]> {
  const { gpu } = context;
  const shape = { heads, kvHeads, headDim };
  const attend = await createAttend(gpu, { reduction, kvType: "f16", shape });
  const capacity = Math.ceil(rows / 64) * 64;
  const rowBytes = 2 * headDim;
  const splits = attend.splits(capacity);
  const chunk = Math.max(...chunks);
  const create = (label: string, bytes: number) =>
    gpu.memory.storage("activations", `attention trial ${label}`, bytes);
  const [keys, values] = ["keys", "values"].map((label) =>
    create(label, Math.max(CACHE_BYTES, kvHeads * (capacity + chunk) * rowBytes)),
  ) as [GPUBuffer, GPUBuffer];
  const table = create("table", 16 * kvHeads);
  const queries = create("queries", 4 * chunk * heads * headDim);
  const output = create("output", 4 * chunk * heads * headDim);
  const lse = create("lse", 4 * chunk * heads);
  const partials = create("partials", 4 * splits * heads * headDim);
  const stats = create("stats", 8 * splits * heads);
  const regions = Array.from({ length: kvHeads }, (_, head) => {
    return [head * (capacity + chunk), rows - 1, capacity, 0];
  });
  gpu.device.queue.writeBuffer(table, 0, Uint32Array.from(regions.flat()));
  const cache = { keys, values, table, layer: 0 };
  const us = await dispatchTime(context, (recorder) => {
    for (let i = 0; i < COUNT; i++) {
      attend(recorder, { cache, capacity, queries, partials, stats, output, lse });
    }
  });
  const perCall = splits > 1 ? 2 * us : us;
  const kernels = splits > 1 ? `${splits} splits` : "one kernel";
  const bytes = 2 * rows * kvHeads * rowBytes;
  const trials: Trial[] = [
    { work: `${model} attention, ${rows} rows`, variant: kernels, us: perCall, bytes },
  ];
  const heights = variant === "tiled" ? FLASH_HEIGHTS : [undefined];
  for (const count of rows <= MOST_CHUNK_ROWS ? chunks : []) {
    for (const height of heights) {
      const spec = { variant, kvType: "f16", shape, ...(height && { height }) } as const;
      const flash = await createFlash(gpu, spec);
      const time = await dispatchTime(context, (recorder) => {
        for (let i = 0; i < 4; i++) {
          flash(recorder, { cache, queries, output, lse, rows: count });
        }
      });
      const work = `${model} flash, ${count} rows on ${rows}`;
      const flops = 4 * count * (rows + count / 2) * heads * headDim;
      trials.push({ work, variant: `${variant}, height ${height}`, us: time, flops });
    }
  }
  for (const buffer of [keys, values, table, queries, output, lse, partials, stats]) {
    gpu.memory.destroy(buffer);
  }
  return trials;
}
