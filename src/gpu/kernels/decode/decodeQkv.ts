import type { Slice } from "../../kernel";
import type { Recorder } from "../../recorder";
import type { QueryKeyNorm } from "../attention/ropeAppend";
import type { Matrix, MatrixPart } from "../common/matrix";
import { type Reduction, unitGroups } from "../common/reduction";
import type { CacheBinding, HeadShape } from "../kv/cacheBinding";
import { writtenKvCode } from "../kv/kvCode";
import type { KvType } from "../kv/kvType";
import type { CompileProduct } from "./compileProduct";
import decodeQkv from "./decode_qkv.wgsl?raw";
import decodeQkvCache from "./decode_qkv_cache.wgsl?raw";
import decodeQkvRow from "./decode_qkv_row.wgsl?raw";
import gemvNorm from "./gemv_norm.wgsl?raw";
import type { GemvSize } from "./gemvWidth";

interface QkvArgs {
  readonly shape: HeadShape;
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
  readonly epsilon: number;
}

export interface DecodeQkvArgs extends QkvArgs {
  readonly cache: CacheBinding;
  /** f32 [heads, headDim] */
  readonly queries: Slice;
}

export interface DecodeQkvRowArgs extends QkvArgs {
  /** f32 [2 (heads + 2 kvHeads), headDim]: the row, and sums of squares (`decode_qkv_row.wgsl`). */
  readonly qkv: Slice;
  /** If the kernel is normed. */
  readonly norm?: QueryKeyNorm | undefined;
}

const QKV_ACCESS = ["read", "read", "read", "read"] as const;
const QKV_PARAMS = {
  units: "u32",
  heads: "u32",
  kvHeads: "u32",
  halfPairs: "u32",
  depth4: "u32",
  firstHead: "u32",
  biasFirst4: "u32",
  epsilon: "f32",
} as const;

/** @param size of the matrix; absent: the kernel cannot be called */
export async function compileQkv(
  compile: CompileProduct,
  reduction: Reduction,
  size: GemvSize | undefined,
  kvType: KvType,
): Promise<(recorder: Recorder, args: DecodeQkvArgs) => void> {
  const qkv = await compile(
    "decode_qkv",
    [size],
    [...QKV_ACCESS, "read", "write", "write", "write"],
    { ...QKV_PARAMS, layer: "u32" },
    [writtenKvCode(kvType), decodeQkvCache, gemvNorm, decodeQkv],
  );
  return (recorder, args) => {
    const { keys, values, table, layer } = args.cache;
    const { input, normWeightAndBias, matrix, angles, queries } = args;
    for (const part of matrix.parts) {
      recorder.dispatch(qkv(matrix), {
        buffers: [input, normWeightAndBias, part.buffer, angles, table, queries, keys, values],
        params: { ...qkvParams(args, part), layer },
        groups: unitGroups(reduction, part.rows / 4),
      });
    }
  };
}

/** @param size as in `compileQkv` @param isNormed every call has `norm` */
export async function compileQkvRow(
  compile: CompileProduct,
  reduction: Reduction,
  size: GemvSize | undefined,
  isNormed: boolean,
): Promise<(recorder: Recorder, args: DecodeQkvRowArgs) => void> {
  const qkvRow = await compile(
    "decode_qkv row",
    [size],
    [...QKV_ACCESS, "read", "write"],
    QKV_PARAMS,
    [decodeQkvRow, gemvNorm, decodeQkv],
    { NORMED: isNormed ? 1 : 0 },
  );
  return (recorder, args) => {
    const { input, normWeightAndBias, matrix, angles, qkv, norm } = args;
    if (isNormed !== (norm !== undefined)) throw new TypeError("qkvRow: norm and kernel differ");
    // A kernel without a norm reads no weights; something must be bound.
    const headNorm = norm?.weights ?? angles;
    for (const part of matrix.parts) {
      recorder.dispatch(qkvRow(matrix), {
        buffers: [input, normWeightAndBias, part.buffer, angles, headNorm, qkv],
        params: qkvParams(args, part),
        groups: unitGroups(reduction, part.rows / 4),
      });
    }
  };
}

function qkvParams({ shape, matrix, biasFirst, epsilon }: QkvArgs, part: MatrixPart) {
  const { heads, kvHeads, headDim } = shape;
  return {
    units: part.rows / 4,
    heads,
    kvHeads,
    halfPairs: headDim / 4,
    depth4: matrix.columns / 4,
    firstHead: part.firstRow / headDim,
    biasFirst4: biasFirst / 4,
    epsilon,
  };
}
