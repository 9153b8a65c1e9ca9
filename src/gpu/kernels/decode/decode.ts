import type { Gpu } from "../../gpu";
import type { Access, ParamTypes, Slice } from "../../kernel";
import type { Recorder } from "../../recorder";
import type { CacheBinding, HeadShape } from "../attention/ropeAppend";
import type { DType } from "../common/dtype";
import type { Matrix } from "../common/matrix";
import { type Reduction, reductionCode, unitGroups } from "../common/reduction";
import { writtenKvCode } from "../kv/kvCode";
import type { KvType } from "../kv/kvType";
import { weightCode } from "../weights/weightCode";
import decodeGated from "./decode_gated.wgsl?raw";
import decodeHead from "./decode_head.wgsl?raw";
import decodeProject from "./decode_project.wgsl?raw";
import decodeQkv from "./decode_qkv.wgsl?raw";
import gemv from "./gemv.wgsl?raw";
import gemvNorm from "./gemv_norm.wgsl?raw";
import gemvRows from "./gemv_rows.wgsl?raw";
import { compilePlans, type GemvPlan, type GemvSize, gemvPlan } from "./gemvWidth";

export interface DecodeSpec {
  readonly reduction: Reduction;
  readonly dtype: DType;
  /** Keys and values are written as `writtenType` of it. */
  readonly kvType: KvType;
  /** The matrices that the kernels will multiply; default: any, slowly. */
  readonly sizes?: DecodeSizes;
  /** How every product is divided; default: by size. */
  readonly division?: Pick<GemvPlan, "width" | "ahead">;
}

/** Sizes of a decoder's matrices; those of another type are absent. */
export type DecodeSizes = Readonly<
  Partial<Record<"qkv" | "output" | "gateUp" | "down" | "head", GemvSize>>
>;

interface DecodeQkvArgs {
  readonly shape: HeadShape;
  readonly cache: CacheBinding;
  /** f32 [width] */
  readonly input: Slice;
  /** f32 [width] weight of the norm; from word `biasFirst` on the bias [heads + 2 kvHeads, headDim]. */
  readonly normWeightAndBias: Slice;
  /** A multiple of 4. */
  readonly biasFirst: number;
  /** [heads + 2 kvHeads, headDim] rows; parts hold whole heads. */
  readonly matrix: Matrix;
  /** f32 [headDim / 2, 2]: cosine and sine of each rotated pair. */
  readonly angles: Slice;
  /** f32 [heads, headDim] */
  readonly queries: Slice;
  readonly epsilon: number;
}

interface DecodeProjectArgs {
  /** f32 [matrix.columns] */
  readonly input: Slice;
  readonly matrix: Matrix;
  /** f32 [matrix.rows] */
  readonly bias: Slice;
  /** f32 [matrix.rows], added to. */
  readonly output: Slice;
}

interface DecodeGatedArgs extends DecodeProjectArgs {
  /** f32 [matrix.columns] */
  readonly normWeight: Slice;
  readonly epsilon: number;
}

interface DecodeHeadArgs {
  /** f32 [any, matrix.columns] */
  readonly input: Slice;
  readonly inputRow: number;
  /** f32 [matrix.columns] */
  readonly normWeight: Slice;
  readonly matrix: Matrix;
  /** f32 [matrix.rows] */
  readonly logits: Slice;
  readonly epsilon: number;
}

/** The matrix–vector kernels of one decoded token; all share `gemv*.wgsl` and a reduction. */
export interface DecodeKernels {
  qkv(recorder: Recorder, args: DecodeQkvArgs): void;
  project(recorder: Recorder, args: DecodeProjectArgs): void;
  gated(recorder: Recorder, args: DecodeGatedArgs): void;
  head(recorder: Recorder, args: DecodeHeadArgs): void;
}

const NONE: GemvSize = { rows: 0, columns: 0 };
const SMALL: DecodeSizes = { qkv: NONE, output: NONE, gateUp: NONE, down: NONE, head: NONE };

const READ = "read" as const;
const WRITE = "write" as const;

export async function createDecodeKernels(gpu: Gpu, spec: DecodeSpec): Promise<DecodeKernels> {
  const { reduction, sizes = SMALL } = spec;
  const compile = productCompiler(gpu, spec);
  const [qkv, project, gated, head] = await Promise.all([
    compileQkv(compile, reduction, sizes, spec.kvType),
    compileProject(compile, reduction, sizes),
    compileGated(compile, reduction, sizes),
    compileHead(compile, reduction, sizes),
  ]);
  return { qkv, project, gated, head };
}

type CompileProduct = ReturnType<typeof productCompiler>;

/** Compiles a product once for every division that its matrices need. */
function productCompiler(gpu: Gpu, { reduction, dtype, ...spec }: DecodeSpec) {
  const { code, enable, constants } = reductionCode(reduction, gpu);
  const planOf = (size: GemvSize) =>
    spec.sizes
      ? { ...gemvPlan(reduction, dtype, size), ...spec.division }
      : { ...gemvPlan(reduction, dtype, NONE), columns: 0 };
  return <P extends ParamTypes>(
    label: string,
    matrices: readonly (GemvSize | undefined)[],
    access: readonly Access[],
    params: P,
    wgsl: readonly string[],
  ) =>
    compilePlans(
      matrices.filter((size) => size !== undefined),
      planOf,
      ({ width, ahead, columns }) =>
        gpu.compile({
          label: `${label} ${reduction} ${dtype}`,
          code: [code, ...weightCode(dtype, columns), gemvRows, ...wgsl],
          access,
          params,
          enable,
          constants: { ...constants, WORKGROUP: width, AHEAD: ahead, DEPTH4: columns / 4 },
        }),
    );
}

async function compileQkv(
  compile: CompileProduct,
  reduction: Reduction,
  sizes: DecodeSizes,
  kvType: KvType,
): Promise<DecodeKernels["qkv"]> {
  const qkv = await compile(
    "decode_qkv",
    [sizes.qkv],
    [READ, READ, READ, READ, READ, WRITE, WRITE, WRITE],
    {
      units: "u32",
      heads: "u32",
      kvHeads: "u32",
      halfPairs: "u32",
      depth4: "u32",
      layer: "u32",
      firstHead: "u32",
      biasFirst4: "u32",
      epsilon: "f32",
    },
    [writtenKvCode(kvType), gemvNorm, decodeQkv],
  );
  return (recorder, args) => {
    const { heads, kvHeads, headDim } = args.shape;
    const { keys, values, table, layer } = args.cache;
    const { input, normWeightAndBias, matrix, angles, queries } = args;
    for (const part of matrix.parts) {
      const firstHead = part.firstRow / headDim;
      recorder.dispatch(qkv(matrix), {
        buffers: [input, normWeightAndBias, part.buffer, angles, table, queries, keys, values],
        params: {
          units: part.rows / 4,
          heads,
          kvHeads,
          halfPairs: headDim / 4,
          depth4: matrix.columns / 4,
          layer,
          firstHead,
          biasFirst4: args.biasFirst / 4,
          epsilon: args.epsilon,
        },
        groups: unitGroups(reduction, part.rows / 4),
      });
    }
  };
}

async function compileProject(
  compile: CompileProduct,
  reduction: Reduction,
  sizes: DecodeSizes,
): Promise<DecodeKernels["project"]> {
  const project = await compile(
    "decode_project",
    [sizes.output, sizes.down],
    [READ, READ, READ, WRITE],
    { rows: "u32", depth4: "u32", firstRow: "u32" },
    [gemv, decodeProject],
  );
  return (recorder, { input, matrix, bias, output }) => {
    for (const { buffer, rows, firstRow } of matrix.parts) {
      recorder.dispatch(project(matrix), {
        buffers: [input, buffer, bias, output],
        params: { rows, depth4: matrix.columns / 4, firstRow },
        groups: unitGroups(reduction, Math.ceil(rows / 4)),
      });
    }
  };
}

async function compileGated(
  compile: CompileProduct,
  reduction: Reduction,
  sizes: DecodeSizes,
): Promise<DecodeKernels["gated"]> {
  const gated = await compile(
    "decode_gated",
    [sizes.gateUp],
    [READ, READ, READ, READ, WRITE],
    { partRows: "u32", depth4: "u32", firstRow: "u32", rows: "u32", epsilon: "f32" },
    [gemvNorm, decodeGated],
  );
  return (recorder, { input, normWeight, matrix, bias, output, epsilon }) => {
    const kernel = gated({ rows: 2 * matrix.rows, columns: matrix.columns });
    const depth4 = matrix.columns / 4;
    for (const { buffer, rows, firstRow } of matrix.parts) {
      recorder.dispatch(kernel, {
        buffers: [input, normWeight, buffer, bias, output],
        params: { partRows: rows, depth4, firstRow, rows: matrix.rows, epsilon },
        groups: unitGroups(reduction, Math.ceil(rows / 2)),
      });
    }
  };
}

async function compileHead(
  compile: CompileProduct,
  reduction: Reduction,
  sizes: DecodeSizes,
): Promise<DecodeKernels["head"]> {
  const head = await compile(
    "decode_head",
    [sizes.head, sizes.qkv],
    [READ, READ, READ, WRITE],
    { rows: "u32", depth4: "u32", firstRow: "u32", inputRow: "u32", epsilon: "f32" },
    [gemvNorm, decodeHead],
  );
  return (recorder, { input, inputRow, normWeight, matrix, logits, epsilon }) => {
    for (const { buffer, rows, firstRow } of matrix.parts) {
      recorder.dispatch(head(matrix), {
        buffers: [input, normWeight, buffer, logits],
        params: { rows, depth4: matrix.columns / 4, firstRow, inputRow, epsilon },
        groups: unitGroups(reduction, Math.ceil(rows / 4)),
      });
    }
  };
}
