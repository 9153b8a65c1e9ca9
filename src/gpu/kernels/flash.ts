import { f32Bits, type Gpu, type Recorder, type Slice } from "../gpu";
import plain from "./flash_plain.wgsl?raw";
import tiled from "./flash_tiled.wgsl?raw";
import { KV_CODE, type KvType } from "./kvType";
import { foldGroups } from "./lanes";
import type { CacheBinding, HeadShape } from "./ropeAppend";

/** `plain` needs no barrier and no shared memory, `tiled` is for GPUs. */
export type FlashVariant = "plain" | "tiled";

/** Largest head size of `tiled`; `plain` takes over above it. */
export const TILED_HEAD_DIM = 128;

export interface FlashSpec {
  readonly variant: FlashVariant;
  readonly kvType: KvType;
  readonly shape: HeadShape;
}

export interface FlashArgs {
  readonly cache: CacheBinding;
  /** f32 [rows, heads, headDim], rotated, not scaled. */
  readonly queries: Slice;
  /** f32 [rows rounded up to 4, heads, headDim] */
  readonly output: Slice;
  /** f32 [rows, heads]: natural log of the sum of exponentials of the scaled scores. */
  readonly logSums: Slice;
  readonly rows: number;
}

export type Flash = (recorder: Recorder, args: FlashArgs) => void;

/** Causal attention of a chunk of rows that was just appended to the cache. */
export async function createFlash(gpu: Gpu, { variant, kvType, shape }: FlashSpec): Promise<Flash> {
  const { heads, kvHeads, headDim } = shape;
  const isTiled = variant === "tiled" && headDim <= TILED_HEAD_DIM;
  const kernel = await gpu.compile({
    label: `flash ${isTiled ? "tiled" : "plain"} ${kvType}`,
    code: [KV_CODE[kvType], isTiled ? tiled : plain],
    access: ["read", "read", "read", "read", "write", "write"],
    constants: isTiled ? { DEPTH4: headDim / 4 } : { WORKGROUP: 16 },
  });

  return (recorder, { cache, queries, output, logSums, rows }) => {
    const groups = isTiled
      ? Math.ceil(rows / 16) * heads
      : Math.ceil((Math.ceil(rows / 4) * heads) / 16);
    recorder.dispatch(
      kernel,
      [queries, cache.keys, cache.values, cache.table, output, logSums],
      [rows, heads, kvHeads, headDim / 4, cache.layer, f32Bits(1 / Math.sqrt(headDim))],
      foldGroups(groups),
    );
  };
}
