import type { Gpu, Slice } from "../../gpu";
import { f32Bits, type Recorder } from "../../recorder";
import type { CacheBinding, HeadShape } from "../attention/ropeAppend";
import { type DType, WEIGHT_CODE } from "../common/dtype";
import { KV_CODE, type KvType } from "../common/kvType";
import type { Matrix } from "../common/matrix";
import { type Reduction, reductionCode, unitGroups } from "../common/reduction";
import decodeGated from "./decode_gated.wgsl?raw";
import decodeHead from "./decode_head.wgsl?raw";
import decodeProject from "./decode_project.wgsl?raw";
import decodeQkv from "./decode_qkv.wgsl?raw";
import gemv from "./gemv.wgsl?raw";
import gemvNorm from "./gemv_norm.wgsl?raw";

export interface DecodeSpec {
  readonly reduction: Reduction;
  readonly dtype: DType;
  readonly kvType: KvType;
}

export interface DecodeQkvArgs {
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

export interface DecodeProjectArgs {
  /** f32 [matrix.columns] */
  readonly input: Slice;
  readonly matrix: Matrix;
  /** f32 [matrix.rows] */
  readonly bias: Slice;
  /** f32 [matrix.rows], added to. */
  readonly output: Slice;
}

export interface DecodeGatedArgs extends DecodeProjectArgs {
  /** f32 [matrix.columns] */
  readonly normWeight: Slice;
  readonly epsilon: number;
}

export interface DecodeHeadArgs {
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

const READ = "read" as const;
const WRITE = "write" as const;

export async function createDecodeKernels(gpu: Gpu, spec: DecodeSpec): Promise<DecodeKernels> {
  const { reduction, dtype, kvType } = spec;
  const { code, enable, constants } = reductionCode(reduction);
  const compile = (label: string, access: readonly ("read" | "write")[], wgsl: readonly string[]) =>
    gpu.compile({
      label: `${label} ${reduction} ${dtype}`,
      code: [code, WEIGHT_CODE[dtype], ...wgsl],
      access,
      enable,
      constants,
    });
  const [qkv, project, gated, head] = await Promise.all([
    compile(
      "decode_qkv",
      [READ, READ, READ, READ, READ, WRITE, WRITE, WRITE],
      [KV_CODE[kvType], gemvNorm, decodeQkv],
    ),
    compile("decode_project", [READ, READ, READ, WRITE], [gemv, decodeProject]),
    compile("decode_gated", [READ, READ, READ, READ, WRITE], [gemvNorm, decodeGated]),
    compile("decode_head", [READ, READ, READ, WRITE], [gemvNorm, decodeHead]),
  ]);

  return {
    qkv(recorder, args) {
      const { heads, kvHeads, headDim } = args.shape;
      const { keys, values, table, layer } = args.cache;
      const { input, normWeightAndBias, matrix, angles, queries } = args;
      for (const part of matrix.parts) {
        const firstHead = part.firstRow / headDim;
        const geometry = [part.rows / 4, heads, kvHeads, headDim / 4, matrix.columns / 4];
        recorder.dispatch(
          qkv,
          [input, normWeightAndBias, part.buffer, angles, table, queries, keys, values],
          [...geometry, layer, firstHead, args.biasFirst / 4, f32Bits(args.epsilon)],
          unitGroups(reduction, part.rows / 4),
        );
      }
    },

    project(recorder, { input, matrix, bias, output }) {
      for (const { buffer, rows, firstRow } of matrix.parts) {
        recorder.dispatch(
          project,
          [input, buffer, bias, output],
          [rows, matrix.columns / 4, firstRow],
          unitGroups(reduction, Math.ceil(rows / 4)),
        );
      }
    },

    gated(recorder, { input, normWeight, matrix, bias, output, epsilon }) {
      for (const { buffer, rows, firstRow } of matrix.parts) {
        recorder.dispatch(
          gated,
          [input, normWeight, buffer, bias, output],
          [rows, matrix.columns / 4, firstRow, matrix.rows, f32Bits(epsilon)],
          unitGroups(reduction, Math.ceil(rows / 2)),
        );
      }
    },

    head(recorder, { input, inputRow, normWeight, matrix, logits, epsilon }) {
      for (const { buffer, rows, firstRow } of matrix.parts) {
        recorder.dispatch(
          head,
          [input, normWeight, buffer, logits],
          [rows, matrix.columns / 4, firstRow, inputRow, f32Bits(epsilon)],
          unitGroups(reduction, Math.ceil(rows / 4)),
        );
      }
    },
  };
}
