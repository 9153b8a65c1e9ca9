import type { Gpu } from "../../gpu";
import type { Slice } from "../../kernel";
import type { Recorder } from "../../recorder";
import type { NewRow } from "../attention/attend";
import type { Matrix } from "../common/matrix";
import { type Reduction, unitGroups } from "../common/reduction";
import type { KvType } from "../kv/kvType";
import {
  type CompileProduct,
  type DecodeSizes,
  NO_SIZE,
  type ProductSpec,
  productCompiler,
} from "./compileProduct";
import decodeGated from "./decode_gated.wgsl?raw";
import decodeHead from "./decode_head.wgsl?raw";
import decodeProject from "./decode_project.wgsl?raw";
import { compileQkv, compileQkvRow, type DecodeQkvArgs, type DecodeQkvRowArgs } from "./decodeQkv";
import gemv from "./gemv.wgsl?raw";
import gemvNorm from "./gemv_norm.wgsl?raw";

export interface DecodeSpec extends ProductSpec {
  /** Keys and values are written as `writtenType` of it. */
  readonly kvType: KvType;
  /** Attention appends the row: compiles `qkvRow` instead of `qkv`. */
  readonly newRow?: NewRow | undefined;
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

/**
 * The matrix–vector kernels of one decoded token; all share `gemv*.wgsl` and a reduction. n = RMSNorm(input), W is
 * `matrix`, b `bias`.
 */
export interface DecodeKernels {
  /** q, k, v = n Wᵀ + b. Rotates q and k, writes q and appends k and v to the cache. */
  qkv(recorder: Recorder, args: DecodeQkvArgs): void;
  /** The same, but leaves the append, and what needs whole heads, to attention. */
  qkvRow(recorder: Recorder, args: DecodeQkvRowArgs): void;
  /** output += input Wᵀ + b */
  project(recorder: Recorder, args: DecodeProjectArgs): void;
  /** output = SiLU(n Wgateᵀ + bgate) ⊙ (n Wupᵀ + bup) */
  gated(recorder: Recorder, args: DecodeGatedArgs): void;
  /** logits = n Wᵀ. Also computes q, k, v where norm, rotation and append follow on their own. */
  head(recorder: Recorder, args: DecodeHeadArgs): void;
}

const SMALL: DecodeSizes = {
  qkv: NO_SIZE,
  output: NO_SIZE,
  gateUp: NO_SIZE,
  down: NO_SIZE,
  head: NO_SIZE,
};

const READ = "read" as const;
const WRITE = "write" as const;

/** @throws KernelCompileError; RangeError when a kernel is called for a size that `sizes` does not name */
export async function createDecodeKernels(gpu: Gpu, spec: DecodeSpec): Promise<DecodeKernels> {
  const { reduction, kvType, newRow, sizes = SMALL } = spec;
  const compile = productCompiler(gpu, spec);
  const [qkv, qkvRow, project, gated, head] = await Promise.all([
    compileQkv(compile, reduction, newRow ? undefined : sizes.qkv, kvType),
    compileQkvRow(compile, reduction, newRow && sizes.qkv, newRow?.normEpsilon !== undefined),
    compileProject(compile, reduction, sizes),
    compileGated(compile, reduction, sizes),
    compileHead(compile, reduction, sizes),
  ]);
  return { qkv, qkvRow, project, gated, head };
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
