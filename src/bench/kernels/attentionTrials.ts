import { type AttendArgs, type AttendSpec, createAttend } from "@/gpu/kernels/attention/attend";
import { ATTEND_DIVISIONS, type AttendDivision } from "@/gpu/kernels/attention/attendDivision";
import { createFlash, FLASH_HEIGHTS, type FlashVariant } from "@/gpu/kernels/attention/flash";
import type { Reduction } from "@/gpu/kernels/common/reduction";
import { dispatchTime, type Trial, type TrialContext } from "./trial";

/** Name, query heads, heads of the cache, head size. */
type Shape = readonly [string, number, number, number];

const MODELS: readonly Shape[] = [
  ["1.1B", 32, 4, 64],
  ["256M", 9, 3, 64],
  ["7B", 32, 32, 128],
  ["OneVision-7B", 28, 4, 128],
  // With the row above of 4 × 64: what a query head costs that reads nothing of its own.
  ["4 over 4", 4, 4, 64],
  ["16 over 4", 16, 4, 64],
];
/** Other divisions of a decoding step's attention than ours, for the kernels with shared memory. */
const DIVISIONS: Readonly<Record<string, Partial<AttendDivision>>> = {
  "ours: wide": ATTEND_DIVISIONS.wide,
  "always split": { directSlots: 0 },
  "spans of 32 · 64 invocations": { directSlots: 0, leastSpan: 32, workgroup: 64 },
  "fine: 1 024 workgroups of those": ATTEND_DIVISIONS.fine,
  "fewHeads: 4 heads a unit": ATTEND_DIVISIONS.fewHeads,
  "2 heads a unit": { directSlots: 0, mostHeads: 2, wantedGroups: 2048 },
  "256 invocations": { directSlots: 0, workgroup: 256 },
};
const ROWS = [600, 1000, 2000, 8000, 32_000];
/** Rows of a chunk of a prefill. */
const CHUNK = [256, 1024];
const MOST_CHUNK_ROWS = 8000;
const CACHE_BYTES = 2 ** 27;
const COUNT = 32;

interface AttentionTrials {
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
      trials.push(...(await timeShape(context, { reduction, flash, chunks }, shape, rows)));
    }
  }
  return trials;
}

async function timeShape(
  context: TrialContext,
  {
    reduction,
    flash: variant,
    chunks,
  }: Pick<AttentionTrials, "reduction" | "flash"> & { readonly chunks: readonly number[] },
  [model, heads, kvHeads, headDim]: Shape,
  rows: number,
): Promise<Trial[]> {
  const { gpu } = context;
  const shape = { heads, kvHeads, headDim };
  const capacity = Math.ceil(rows / 64) * 64;
  const rowBytes = 2 * headDim;
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
  const regions = Array.from({ length: kvHeads }, (_, head) => {
    return [head * (capacity + chunk), rows - 1, capacity, 0];
  });
  gpu.device.queue.writeBuffer(table, 0, Uint32Array.from(regions.flat()));
  const cache = { keys, values, table, layer: 0 };
  const work = `${model} attention, ${rows} rows`;
  const step = { cache, capacity, queries, output, lse };
  const trials: Trial[] = (
    await timeDivisions(context, { reduction, kvType: "f16", shape }, step)
  ).map((trial) => ({ ...trial, work, bytes: 2 * rows * kvHeads * rowBytes }));
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
  for (const buffer of [keys, values, table, queries, output, lse]) {
    gpu.memory.destroy(buffer);
  }
  return trials;
}

/** Attention of one row in every division of the cache. */
async function timeDivisions(
  context: TrialContext,
  spec: AttendSpec,
  step: Omit<AttendArgs, "partials" | "stats">,
): Promise<Pick<Trial, "variant" | "us">[]> {
  const { heads, headDim } = spec.shape;
  const { memory } = context.gpu;
  const found: Pick<Trial, "variant" | "us">[] = [];
  const count = spec.reduction === "one" ? 1 : undefined;
  for (const [name, division] of Object.entries(DIVISIONS).slice(0, count)) {
    const attend = await createAttend(context.gpu, { ...spec, division });
    const splits = attend.splits(step.capacity);
    const [partials, stats] = [4 * headDim, 8].map((bytes) =>
      memory.storage("activations", "attention trial splits", bytes * splits * heads),
    ) as [GPUBuffer, GPUBuffer];
    const us = await dispatchTime(context, (recorder) => {
      for (let i = 0; i < COUNT; i++) attend(recorder, { ...step, partials, stats });
    });
    const variant = `${name}, ${splits > 1 ? `${splits} splits` : "one kernel"}`;
    found.push({ variant, us: splits > 1 ? 2 * us : us });
    for (const buffer of [partials, stats]) memory.destroy(buffer);
  }
  return found;
}
