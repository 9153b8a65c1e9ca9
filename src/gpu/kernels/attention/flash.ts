import type { Gpu } from "../../gpu";
import type { Slice } from "../../kernel";
import type { Recorder } from "../../recorder";
import { KV_CODE, type KvType } from "../common/kvType";
import { foldGroups } from "../common/reduction";
import io from "./flash_io.wgsl?raw";
import plain from "./flash_plain.wgsl?raw";
import subgroup from "./flash_subgroup.wgsl?raw";
import tiled from "./flash_tiled.wgsl?raw";
import type { CacheBinding, HeadShape } from "./ropeAppend";

/**
 * `plain` and `subgroup` use no barrier and no shared memory, for software adapters. `tiled` is for
 * GPUs.
 */
export type FlashVariant = "plain" | "subgroup" | "tiled";

/** Largest head size of `tiled`; `plain` is used above it. */
export const TILED_HEAD_DIM = 128;

/** A unit of work is a block of rows of one head. */
const VARIANTS = {
  plain: { code: plain, rowsPerUnit: 4, unitsPerGroup: 16, workgroup: 16 },
  subgroup: { code: subgroup, rowsPerUnit: 32, unitsPerGroup: 1, workgroup: 8 },
  tiled: { code: tiled, rowsPerUnit: 16, unitsPerGroup: 1, workgroup: 64 },
} as const;

export interface FlashSpec {
  readonly variant: FlashVariant;
  readonly kvType: KvType;
  readonly shape: HeadShape;
  /** Whether a row sees only the rows up to its own (default), or all rows of its chunk. */
  readonly isCausal?: boolean;
}

export interface FlashArgs {
  readonly cache: CacheBinding;
  /** f32 [rows, heads, headDim], rotated, not scaled. */
  readonly queries: Slice;
  /** f32 [rows rounded up to 4, heads, headDim] */
  readonly output: Slice;
  /** f32 [rows, heads]: natural log of the sum of exponentials of the scaled scores. */
  readonly lse: Slice;
  readonly rows: number;
  /** First row of the chunk in queries, output and lse; default 0. */
  readonly firstRow?: number;
}

export type Flash = (recorder: Recorder, args: FlashArgs) => void;

/** Attention of a chunk of rows that was just appended to the cache. */
export async function createFlash(gpu: Gpu, spec: FlashSpec): Promise<Flash> {
  const { variant, kvType, shape, isCausal = true } = spec;
  const { heads, kvHeads, headDim } = shape;
  const chosen = variant === "tiled" && headDim > TILED_HEAD_DIM ? "plain" : variant;
  const { code, rowsPerUnit, unitsPerGroup, workgroup } = VARIANTS[chosen];
  const kernel = await gpu.compile({
    label: `flash ${chosen} ${kvType}${isCausal ? "" : " bidirectional"}`,
    code: [KV_CODE[kvType], io, code],
    access: ["read", "read", "read", "read", "write", "write"],
    params: {
      rows: "u32",
      heads: "u32",
      kvHeads: "u32",
      depth4: "u32",
      layer: "u32",
      scale: "f32",
      first: "u32",
    },
    enable: chosen === "subgroup" ? ["subgroups"] : [],
    constants: {
      CAUSAL: Number(isCausal),
      ...(chosen === "tiled" ? { DEPTH4: headDim / 4 } : { WORKGROUP: workgroup }),
    },
  });

  return (recorder, { cache, queries, output, lse, rows, firstRow = 0 }) => {
    const units = Math.ceil(rows / rowsPerUnit) * heads;
    recorder.dispatch(kernel, {
      buffers: [queries, cache.keys, cache.values, cache.table, output, lse],
      params: {
        rows,
        heads,
        kvHeads,
        depth4: headDim / 4,
        layer: cache.layer,
        scale: 1 / Math.sqrt(headDim),
        first: firstRow,
      },
      groups: foldGroups(Math.ceil(units / unitsPerGroup)),
    });
  };
}
