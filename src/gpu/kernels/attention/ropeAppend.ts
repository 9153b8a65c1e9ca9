import type { Gpu } from "../../gpu";
import type { Slice } from "../../kernel";
import type { Recorder } from "../../recorder";
import { foldGroups } from "../common/reduction";
import type { CacheBinding, HeadShape } from "../kv/cacheBinding";
import { writtenKvCode } from "../kv/kvCode";
import type { KvType } from "../kv/kvType";
import wgsl from "./rope_append.wgsl?raw";

interface RopeAppendArgs {
  readonly shape: HeadShape;
  readonly cache: CacheBinding;
  /** f32 [rows, heads + 2 kvHeads, headDim] */
  readonly qkv: Slice;
  /** f32 [rows, headDim / 2, 2]: cosine and sine of each rotated pair. */
  readonly angles: Slice;
  /** f32 [rows, heads, headDim] */
  readonly queries: Slice;
  readonly rows: number;
  /** Of queries and keys, if the kernel is normed. */
  readonly norm?: QueryKeyNorm | undefined;
}

/** Root-mean-square norm of every query and key over its head. */
export interface QueryKeyNorm {
  /** f32 [2, headDim]: weight for queries, weight for keys. */
  readonly weights: Slice;
  readonly epsilon: number;
}

export type RopeAppend = (recorder: Recorder, args: RopeAppendArgs) => void;

/**
 * Rotates queries and keys of a chunk, and appends keys and values to a cache of `writtenType(kvType)`.
 * @param isNormed queries and keys are normalised first; every call has `norm`
 */
export async function createRopeAppend(
  gpu: Gpu,
  kvType: KvType,
  isNormed = false,
): Promise<RopeAppend> {
  const kernel = await gpu.compile({
    label: `rope_append ${kvType}`,
    code: [writtenKvCode(kvType), wgsl],
    access: ["read", "read", "read", "write", "write", "write", "read"],
    params: {
      ...{ rows: "u32", heads: "u32", kvHeads: "u32", halfPairs: "u32", layer: "u32" },
      epsilon: "f32",
    },
    constants: { NORMED: isNormed ? 1 : 0 },
  });

  return (recorder, { shape, cache, qkv, angles, queries, rows, norm }) => {
    if (isNormed !== (norm !== undefined))
      throw new TypeError("rope_append: norm and kernel differ");
    const { heads, kvHeads, headDim } = shape;
    const invocations = (rows * (heads + 2 * kvHeads) * headDim) / 4;
    recorder.dispatch(kernel, {
      // A kernel without a norm reads no weights; something must be bound.
      buffers: [
        ...[qkv, angles, cache.table, queries, cache.keys, cache.values],
        norm?.weights ?? angles,
      ],
      params: {
        ...{ rows, heads, kvHeads, halfPairs: headDim / 4, layer: cache.layer },
        epsilon: norm?.epsilon ?? 0,
      },
      groups: foldGroups(Math.ceil(invocations / 64)),
    });
  };
}
