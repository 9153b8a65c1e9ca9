import type { Gpu } from "../../gpu";
import type { Slice } from "../../kernel";
import type { Recorder } from "../../recorder";
import { KV_CODE, type KvType } from "../common/kvType";
import { foldGroups, type Reduction, reductionCode, unitGroups } from "../common/reduction";
import combineWgsl from "./attend_combine.wgsl?raw";
import ioWgsl from "./attend_io.wgsl?raw";
import splitWgsl from "./attend_split.wgsl?raw";
import plainWgsl from "./attend_split_plain.wgsl?raw";
import type { CacheBinding, HeadShape } from "./ropeAppend";

export interface AttendSpec {
  readonly reduction: Reduction;
  readonly kvType: KvType;
  readonly shape: HeadShape;
}

export interface AttendArgs {
  readonly cache: CacheBinding;
  /** Largest capacity of the layer's heads, in rows; determines the number of splits. */
  readonly capacity: number;
  /** f32 [heads, headDim], rotated, not scaled. */
  readonly queries: Slice;
  /** f32 [splits, heads, headDim], scratch. */
  readonly partials: Slice;
  /** f32 [splits, heads, 2], scratch. */
  readonly stats: Slice;
  /** f32 [heads, headDim] */
  readonly output: Slice;
  /** f32 [heads]: natural log of the sum of exponentials of the scaled scores. */
  readonly lse: Slice;
}

export interface Attend {
  (recorder: Recorder, args: AttendArgs): void;
  /** Number of splits for a capacity; scratch buffers must hold them. */
  splits(capacity: number): number;
}

/** Largest head size for the workgroup variant; above it one invocation computes a unit. */
const SHARED_HEAD_DIM = 256;
const PLAIN_GROUP = 16;

/**
 * Attention of the newest row over the whole cache, computed in splits of the cache and combined
 * (split-K).
 */
export async function createAttend(
  gpu: Gpu,
  { reduction, kvType, shape }: AttendSpec,
): Promise<Attend> {
  const { heads, kvHeads, headDim } = shape;
  const isPlain = reduction === "one" || headDim > SHARED_HEAD_DIM;
  const { code, enable, constants } = reductionCode(reduction);
  const [split, combine] = await Promise.all([
    gpu.compile({
      label: `attend_split ${isPlain ? "plain" : reduction} ${kvType}`,
      code: isPlain
        ? [KV_CODE[kvType], ioWgsl, plainWgsl]
        : [code, KV_CODE[kvType], ioWgsl, splitWgsl],
      access: ["read", "read", "read", "read", "write", "write"],
      params: {
        units: "u32",
        heads: "u32",
        kvHeads: "u32",
        depth4: "u32",
        layer: "u32",
        scale: "f32",
      },
      enable: isPlain ? [] : enable,
      constants: isPlain ? { WORKGROUP: PLAIN_GROUP } : constants,
    }),
    gpu.compile({
      label: "attend_combine",
      code: [combineWgsl],
      access: ["read", "read", "read", "write", "write"],
      params: { heads: "u32", kvHeads: "u32", depth4: "u32", layer: "u32", splitSlots: "u32" },
    }),
  ]);
  const splitSlots = isPlain ? 32 : 64;
  const splits = (capacity: number) => Math.ceil(capacity / splitSlots);
  const depth4 = headDim / 4;

  const attend = (recorder: Recorder, args: AttendArgs) => {
    const { cache, queries, partials, stats, output, lse } = args;
    const { keys, values, table, layer } = cache;
    const units = splits(args.capacity) * heads;
    recorder.dispatch(split, {
      buffers: [queries, keys, values, table, partials, stats],
      params: { units, heads, kvHeads, depth4, layer, scale: 1 / Math.sqrt(headDim) },
      groups: isPlain ? foldGroups(Math.ceil(units / PLAIN_GROUP)) : unitGroups(reduction, units),
    });
    recorder.dispatch(combine, {
      buffers: [table, partials, stats, output, lse],
      params: { heads, kvHeads, depth4, layer, splitSlots },
      groups: [Math.ceil((heads * depth4) / 16)],
    });
  };
  return Object.assign(attend, { splits });
}
