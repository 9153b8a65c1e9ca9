import type { Gpu } from "@/gpu/gpu";
import type { Kernel } from "@/gpu/kernel";
import { foldGroups } from "@/gpu/kernels/common/reduction";
import code from "./gemv_trial.wgsl?raw";
import { dispatchTime, type Trial, type TrialContext } from "./passTime";

/** How a matrix–vector product is divided; see `gemv_trial.wgsl`. */
export interface GemvShape {
  readonly workgroup: number;
  readonly team: number;
  readonly rows: number;
  readonly ahead: number;
}

/** A matrix of a decoder: f16, `columns` a multiple of 8. */
export interface GemvProblem {
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  /** Whether a norm precedes the product. */
  readonly norm: boolean;
}

export const DECODER_PRODUCTS: readonly GemvProblem[] = [
  ...products("1.1B", 2048, 5632, 2560, 32_000),
  ...products("256M", 576, 1536, 960, 49_280),
];

function products(
  model: string,
  hidden: number,
  intermediate: number,
  qkv: number,
  vocabulary: number,
): GemvProblem[] {
  const product = (name: string, rows: number, columns: number, norm: boolean) => ({
    name: `${model} ${name}`,
    rows,
    columns,
    norm,
  });
  return [
    product("qkv", qkv, hidden, true),
    product("output", hidden, hidden, false),
    product("gate and up", 2 * intermediate, hidden, true),
    product("down", hidden, intermediate, false),
    product("head", vocabulary, hidden, true),
  ];
}

const TEAMS = [
  [64, 32],
  [128, 32],
  [256, 32],
  [64, 64],
  [128, 64],
  [128, 128],
  [256, 128],
  [256, 256],
] as const;
const ROWS = [1, 2, 4, 8, 16];
const AHEAD = [1, 2, 4];
/** More than the cache of any GPU: every dispatch finds its weights in memory. */
const WEIGHT_BYTES = 2 ** 28;
const FEWEST = 4;
const MOST = 128;

export function gemvShapes(subgroup: number): GemvShape[] {
  return TEAMS.filter(([, team]) => team === 32 || team > subgroup).flatMap(([workgroup, team]) =>
    ROWS.flatMap((rows) =>
      AHEAD.filter((ahead) => rows * ahead <= 32).map((ahead) => ({
        workgroup,
        team,
        rows,
        ahead,
      })),
    ),
  );
}

/** Compiles the kernel in one shape. `subgroup`: the adapter's only subgroup size. */
export function compileGemv(
  gpu: Gpu,
  { workgroup, team, rows, ahead }: GemvShape,
  norm: boolean,
  subgroup: number,
) {
  return gpu.compile({
    label: `gemv_trial ${workgroup} ${team} ${rows} ${ahead}`,
    code: [code],
    access: ["read", "read", "read", "write"],
    params: { rows: "u32", depth8: "u32", first: "u32" },
    enable: ["subgroups"],
    constants: {
      WORKGROUP: workgroup,
      TEAM: team,
      ROWS: rows,
      AHEAD: ahead,
      NORM: Number(norm),
      SUBGROUP: subgroup,
      SLOTS: Math.max(1, (rows * workgroup) / subgroup),
    },
  });
}

export function gemvGroups({ workgroup, team, rows }: GemvShape, count: number) {
  return foldGroups(Math.ceil(count / (rows * (workgroup / team))));
}

/** Every shape on every product. Weights are read from another place by each dispatch. */
export async function timeGemv(
  context: TrialContext,
  subgroup: number,
  {
    problems = DECODER_PRODUCTS,
    shapes = gemvShapes(subgroup),
    weightBytes = WEIGHT_BYTES,
  }: {
    readonly problems?: readonly GemvProblem[];
    readonly shapes?: readonly GemvShape[];
    readonly weightBytes?: number;
  } = {},
): Promise<Trial[]> {
  const { gpu } = context;
  const kernels = await Promise.all(
    shapes.map((shape) =>
      Promise.all([
        compileGemv(gpu, shape, false, subgroup),
        compileGemv(gpu, shape, true, subgroup),
      ]),
    ),
  );
  const words = Math.max(...problems.flatMap(({ rows, columns }) => [rows, columns]));
  const storage = (label: string, bytes: number) =>
    gpu.memory.storage("activations", `gemv trial ${label}`, bytes);
  const input = storage("input", 4 * words);
  const output = storage("output", 4 * words);
  const weights = storage("weights", weightBytes);
  const trials: Trial[] = [];
  for (const problem of problems) {
    const bytes = 2 * problem.rows * problem.columns;
    const places = Math.max(1, Math.floor(weightBytes / bytes));
    const count = Math.min(Math.max(places, FEWEST), MOST);
    const depth8 = problem.columns / 8;
    for (const [index, shape] of shapes.entries()) {
      const kernel = kernels[index]![Number(problem.norm)] as Kernel<{
        rows: "u32";
        depth8: "u32";
        first: "u32";
      }>;
      const groups = gemvGroups(shape, problem.rows);
      const us = await dispatchTime(context, (recorder) => {
        for (let i = 0; i < count; i++) {
          const first = ((i % places) * bytes) / 16;
          recorder.dispatch(kernel, {
            buffers: [input, input, weights, output],
            params: { rows: problem.rows, depth8, first },
            groups,
          });
        }
      });
      const { workgroup, team, rows, ahead } = shape;
      const variant = `workgroup ${workgroup}, team ${team}, ${rows} rows, ${ahead} ahead`;
      trials.push({ work: problem.name, variant, us, bytes });
    }
  }
  for (const buffer of [input, output, weights]) gpu.memory.destroy(buffer);
  return trials;
}
