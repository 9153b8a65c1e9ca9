import type { Gpu } from "@/gpu/gpu";
import { createAttend } from "@/gpu/kernels/attention/attend";
import { createFlash } from "@/gpu/kernels/attention/flash";
import code from "./attend_trial.wgsl?raw";
import { dispatchTime, type Trial, type TrialContext } from "./passTime";

export interface AttendShape {
  readonly workgroup: number;
  readonly span: number;
  readonly byLanes: boolean;
}

export const ATTEND_SHAPES: readonly AttendShape[] = [64, 128, 256].flatMap((workgroup) =>
  [32, 64, 128, 256].flatMap((span) =>
    [false, true].map((byLanes) => ({ workgroup, span, byLanes })),
  ),
);

/** Heads, heads of the cache, head size. */
const MODELS = [
  ["1.1B", 32, 4, 64],
  ["256M", 9, 3, 64],
  ["7B", 32, 32, 128],
] as const;
const SMALL = [["small", 2, 1, 16]] as const;
const MOST_ROWS = 32_000;
const ROWS = [600, 1000, 8000, MOST_ROWS];
const CACHE_BYTES = 2 ** 27;
const COUNT = 32;

export function compileAttendTrial(
  gpu: Gpu,
  { workgroup, span, byLanes }: AttendShape,
  subgroup: number,
  { group, headDim }: { readonly group: number; readonly headDim: number },
) {
  const depth8 = headDim / 8;
  return gpu.compile({
    label: `attend_trial ${workgroup} ${span} ${byLanes}`,
    code: [code],
    access: ["read", "read", "read", "write", "write"],
    params: {
      heads: "u32",
      kvHeads: "u32",
      rows: "u32",
      capacity: "u32",
      scale: "f32",
      first: "u32",
    },
    enable: ["subgroups"],
    constants: {
      WORKGROUP: workgroup,
      SUBGROUP: subgroup,
      SUBGROUPS: workgroup / subgroup,
      DEPTH8: depth8,
      GROUP: group,
      SPAN: span,
      BY_LANES: Number(byLanes),
      STRIPES: workgroup / depth8,
    },
  });
}

/** Bytes of shared memory of `attend_trial.wgsl`. */
function sharedBytes(
  { workgroup, span }: AttendShape,
  subgroup: number,
  { group, headDim }: { readonly group: number; readonly headDim: number },
): number {
  const subgroups = workgroup / subgroup;
  return 4 * group * headDim * (1 + subgroups) + 32 * span + 32 * subgroups;
}

/** One layer's attention of a decoding step, ours and trials; and of a chunk of 256 rows. */
export async function timeAttention(
  context: TrialContext,
  subgroup: number,
  isSmall: boolean,
): Promise<Trial[]> {
  const { gpu } = context;
  const { limits } = gpu.device;
  const storage = (label: string, bytes: number) =>
    gpu.memory.storage("activations", `attention trial ${label}`, bytes);
  const [queries, output] = [storage("queries", 2 ** 24), storage("output", 2 ** 24)];
  const [partials, stats, lse] = [
    storage("partials", 2 ** 26),
    storage("stats", 2 ** 20),
    storage("lse", 2 ** 20),
  ];
  const cacheBytes = isSmall ? 2 ** 16 : CACHE_BYTES;
  const count = isSmall ? 1 : COUNT;
  const trials: Trial[] = [];
  for (const [model, heads, kvHeads, headDim] of isSmall ? SMALL : MODELS) {
    const shape = { heads, kvHeads, headDim };
    const group = heads / kvHeads;
    const rowBytes = kvHeads * headDim * 2;
    const candidates = (isSmall ? ATTEND_SHAPES.slice(0, 2) : ATTEND_SHAPES).filter(
      (each) =>
        sharedBytes(each, subgroup, { group, headDim }) <= limits.maxComputeWorkgroupStorageSize &&
        sharedBytes(each, subgroup, { group, headDim }) <= 16_384,
    );
    const kernels = await Promise.all(
      candidates.map((each) => compileAttendTrial(gpu, each, subgroup, { group, headDim })),
    );
    const attend = await createAttend(gpu, { reduction: "subgroup", kvType: "f16", shape });
    const variant = isSmall ? "plain" : "tiled";
    const flash = await createFlash(gpu, { variant, kvType: "f16", shape });
    const keys = storage("keys", Math.max(cacheBytes, MOST_ROWS * rowBytes));
    const values = storage("values", Math.max(cacheBytes, MOST_ROWS * rowBytes));
    for (const rows of isSmall ? [70] : ROWS) {
      const capacity = Math.ceil(rows / 64) * 64;
      const bytes = 2 * rows * rowBytes;
      const work = `${model} attention, ${rows} rows`;
      const table = storage("table", 4096);
      const regions = Array.from({ length: kvHeads }, (_, head) => [
        head * capacity,
        rows - 1,
        capacity,
        0,
      ]);
      gpu.device.queue.writeBuffer(table, 0, Uint32Array.from(regions.flat()));
      const cache = { keys, values, table, layer: 0 };
      const ours = await dispatchTime(context, (recorder) => {
        for (let i = 0; i < count; i++) {
          attend(recorder, { cache, capacity, queries, partials, stats, output, lse });
        }
      });
      trials.push({ work, variant: "ours, a dispatch (of 1 or 2)", us: ours, bytes });
      for (const [index, kernel] of kernels.entries()) {
        const { workgroup, span, byLanes } = candidates[index]!;
        const places = Math.max(1, Math.floor(cacheBytes / (capacity * rowBytes)));
        const groups = [kvHeads * Math.ceil(rows / span)] as const;
        if (groups[0] * group * headDim * 4 > 2 ** 26) continue;
        const us = await dispatchTime(context, (recorder) => {
          for (let i = 0; i < count; i++) {
            const first = ((i % places) * capacity * rowBytes) / 16;
            recorder.dispatch(kernel, {
              buffers: [queries, keys, values, partials, stats],
              params: { heads, kvHeads, rows, capacity, scale: 0.125, first },
              groups,
            });
          }
        });
        const variant = `workgroup ${workgroup}, ${span} slots, ${byLanes ? "lanes" : "slots"}`;
        trials.push({ work, variant, us, bytes });
      }
      if (!isSmall && rows <= 8000) {
        const chunk = await dispatchTime(context, (recorder) => {
          for (let i = 0; i < 4; i++) {
            flash(recorder, { cache, queries, output, lse, rows: 256 });
          }
        });
        const flops = 4 * 256 * rows * heads * headDim;
        trials.push({
          work: `${model} flash, 256 rows on ${rows}`,
          variant: "ours",
          us: chunk,
          flops,
        });
      }
      gpu.memory.destroy(table);
    }
    for (const buffer of [keys, values]) gpu.memory.destroy(buffer);
  }
  for (const buffer of [queries, output, partials, stats, lse]) gpu.memory.destroy(buffer);
  return trials;
}
