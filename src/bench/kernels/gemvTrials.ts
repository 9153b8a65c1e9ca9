import { type DType, rowBytes } from "@/gpu/kernels/common/dtype";
import type { Reduction } from "@/gpu/kernels/common/reduction";
import { createDecodeKernels } from "@/gpu/kernels/decode/decode";
import { type GemvPlan, gemvPlan } from "@/gpu/kernels/decode/gemvWidth";
import { decodeSizes } from "@/model/decoder/kernelSet";
import { type ShapeName, shapeConfig } from "../shapes";
import { dispatchTime, type Trial, type TrialContext } from "./trial";

/** A matrix of a decoder. */
interface GemvProblem {
  readonly name: string;
  readonly dtype: DType;
  readonly rows: number;
  readonly columns: number;
  /** Whether a norm precedes the product. */
  readonly norm: boolean;
}

const PRODUCTS: readonly GemvProblem[] = [
  ...productsOf("Llama-1.1B", "f16"),
  ...productsOf("SmolVLM-256M", "f16"),
  ...(["q8g64", "q4g32"] as const).flatMap((dtype) => productsOf("Llama-1.1B", dtype).slice(0, -1)),
];

/** The matrices of a decoder, the head last. */
function productsOf(model: ShapeName, dtype: DType): GemvProblem[] {
  const { qkv, output, gateUp, down, head } = decodeSizes(shapeConfig(model));
  const size = model.split("-").at(-1);
  const suffix = dtype === "f16" ? "" : ` ${dtype}`;
  const named = (name: string) => ({ name: `${size} ${name}${suffix}`, dtype });
  return [
    { ...named("qkv"), ...qkv, norm: true },
    { ...named("output"), ...output, norm: false },
    { ...named("gate and up"), ...gateUp, norm: true },
    { ...named("down"), ...down, norm: false },
    { ...named("head"), ...head, norm: true },
  ];
}

type Division = Pick<GemvPlan, "width" | "ahead">;

const DIVISIONS: readonly Division[] = [64, 128, 256].flatMap((width) =>
  [1, 2, 4].map((ahead) => ({ width, ahead })),
);
/** More than the cache of any GPU: every dispatch finds its weights in memory. */
const WEIGHT_BYTES = 2 ** 28;
const MOST = 128;

/** Our products of a row with a matrix, divided in every way. Each dispatch reads another matrix. */
export async function timeGemv(
  context: TrialContext,
  reduction: Reduction,
  problems: readonly GemvProblem[] = PRODUCTS,
  weightBytes: number = WEIGHT_BYTES,
): Promise<Trial[]> {
  const { memory } = context.gpu;
  const words = Math.max(...problems.flatMap(({ rows, columns }) => [rows, columns]));
  const [input, output] = ["input", "output"].map((label) =>
    memory.storage("activations", `gemv trial ${label}`, 4 * words),
  ) as [GPUBuffer, GPUBuffer];
  const trials: Trial[] = [];
  for (const problem of problems) {
    const bytes = problem.rows * rowBytes(problem.dtype, problem.columns);
    const count = Math.min(MOST, Math.max(1, Math.floor(weightBytes / bytes)));
    const matrices = Array.from({ length: count }, (_, index) =>
      memory.storage("weights", `gemv trial ${index}`, bytes),
    );
    const own = gemvPlan(reduction, problem.dtype, problem);
    const isOwn = ({ width, ahead }: Division) => width === own.width && ahead === own.ahead;
    for (const division of DIVISIONS) {
      const run = await compileProblem(context, reduction, problem, division);
      const us = await dispatchTime(context, (recorder) => {
        for (const buffer of matrices) run(recorder, { input, output, buffer });
      });
      const variant = `${isOwn(division) ? "ours, " : ""}width ${division.width}, ${division.ahead} ahead`;
      trials.push({ work: problem.name, variant, us, bytes });
    }
    for (const matrix of matrices) memory.destroy(matrix);
  }
  for (const buffer of [input, output]) memory.destroy(buffer);
  return trials;
}

async function compileProblem(
  { gpu }: TrialContext,
  reduction: Reduction,
  { dtype, rows, columns, norm }: GemvProblem,
  division: Division,
) {
  const size = { rows, columns };
  const kernels = await createDecodeKernels(gpu, {
    reduction,
    dtype,
    kvType: "f16",
    sizes: norm ? { head: size } : { down: size },
    division,
  });
  return (
    recorder: Parameters<typeof kernels.head>[0],
    { input, output, buffer }: Readonly<Record<"input" | "output" | "buffer", GPUBuffer>>,
  ) => {
    const parts = [{ buffer, firstRow: 0, rows }];
    const matrix = { label: "trial", dtype, rows, columns, parts } as const;
    if (!norm) return kernels.project(recorder, { input, matrix, bias: input, output });
    const normed = { input, inputRow: 0, normWeight: input, matrix, epsilon: 1e-5 };
    kernels.head(recorder, { ...normed, logits: output });
  };
}
