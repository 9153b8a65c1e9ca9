import type { Gpu } from "../../gpu";
import type { Slice } from "../../kernel";
import type { Recorder } from "../../recorder";
import { KV_BYTES, KV_CODE, type KvType } from "../common/kvType";
import { foldGroups, type Reduction, reductionCode, unitGroups } from "../common/reduction";
import combineWgsl from "./attend_combine.wgsl?raw";
import combinePlainWgsl from "./attend_combine_plain.wgsl?raw";
import ioWgsl from "./attend_io.wgsl?raw";
import spanWgsl from "./attend_span.wgsl?raw";
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
  /** Largest capacity of the layer's heads, in rows; bounds the number of splits. */
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

/** Largest head size for the shared variant; above it one invocation computes a unit. */
const SHARED_HEAD_DIM = 256;

/**
 * Attention of the newest row over the whole cache, computed in splits of the cache and combined
 * (split-K; https://crfm.stanford.edu/2023/10/12/flashdecoding.html).
 */
export function createAttend(gpu: Gpu, spec: AttendSpec): Promise<Attend> {
  const isPlain = spec.reduction === "one" || spec.shape.headDim > SHARED_HEAD_DIM;
  return isPlain ? createPlain(gpu, spec) : createShared(gpu, spec);
}

const SPLIT_ACCESS = ["read", "read", "read", "read", "write", "write"] as const;
const SPLIT_PARAMS = {
  units: "u32",
  heads: "u32",
  kvHeads: "u32",
  depth4: "u32",
  layer: "u32",
  scale: "f32",
  wanted: "u32",
} as const;
const COMBINE_ACCESS = ["read", "read", "read", "write", "write"] as const;

/** Constants of `attend_split_plain.wgsl`. */
const PLAIN_GROUP = 16;
const PLAIN_SPLIT = 32;

async function createPlain(gpu: Gpu, { kvType, shape }: AttendSpec): Promise<Attend> {
  const { heads, kvHeads, headDim } = shape;
  const [split, combine] = await Promise.all([
    gpu.compile({
      label: `attend_split plain ${kvType}`,
      code: [KV_CODE[kvType], ioWgsl, plainWgsl],
      access: SPLIT_ACCESS,
      params: SPLIT_PARAMS,
      constants: { WORKGROUP: PLAIN_GROUP },
    }),
    gpu.compile({
      label: "attend_combine plain",
      code: [combinePlainWgsl],
      access: COMBINE_ACCESS,
      params: { heads: "u32", kvHeads: "u32", depth4: "u32", layer: "u32", splitSlots: "u32" },
    }),
  ]);
  const splits = (capacity: number) => Math.ceil(capacity / PLAIN_SPLIT);
  const depth4 = headDim / 4;
  const attend = (recorder: Recorder, args: AttendArgs) => {
    const { queries, partials, stats, output, lse } = args;
    const { keys, values, table, layer } = args.cache;
    const units = splits(args.capacity) * heads;
    const scale = 1 / Math.sqrt(headDim);
    recorder.dispatch(split, {
      buffers: [queries, keys, values, table, partials, stats],
      params: { units, heads, kvHeads, depth4, layer, scale, wanted: 1 },
      groups: foldGroups(Math.ceil(units / PLAIN_GROUP)),
    });
    recorder.dispatch(combine, {
      buffers: [table, partials, stats, output, lse],
      params: { heads, kvHeads, depth4, layer, splitSlots: PLAIN_SPLIT },
      groups: [Math.ceil((heads * depth4) / 16)],
    });
  };
  return Object.assign(attend, { splits });
}

/** Workgroups that keep a large GPU's memory busy: four for each of 128 processors. */
const WANTED_GROUPS = 512;
/** `LEAST_SPAN` and `MOST_SPAN` of `attend_span.wgsl`; the latter is the size of a workgroup. */
const LEAST_SPAN = 32;
const MOST_SPAN = 128;
/** Most query heads of a unit of `attend_split.wgsl`. */
const MOST_HEADS = 8;
/** Shared memory for a tile of keys. */
const TILE_BYTES = 4608;
const TILE_SLOTS = [32, 16, 8, 4];

async function createShared(gpu: Gpu, spec: AttendSpec): Promise<Attend> {
  const { reduction, shape } = spec;
  const { heads, kvHeads, headDim } = shape;
  const parts = partsOf(shape);
  const depth4 = headDim / 4;
  const [split, direct, combine] = await compileShared(gpu, spec);
  const wanted = Math.ceil(WANTED_GROUPS / kvHeads);
  const splits = (capacity: number) =>
    Math.max(Math.min(Math.ceil(capacity / LEAST_SPAN), wanted), Math.ceil(capacity / MOST_SPAN));
  const attend = (recorder: Recorder, args: AttendArgs) => {
    const { queries, partials, stats, output, lse, capacity } = args;
    const { keys, values, table, layer } = args.cache;
    const shared = { heads, kvHeads, depth4, layer };
    const scale = 1 / Math.sqrt(headDim);
    const cached = [queries, keys, values, table];
    const units = kvHeads * parts;
    if (capacity <= MOST_SPAN) {
      recorder.dispatch(direct, {
        buffers: [...cached, output, lse],
        params: { units, ...shared, scale, wanted: 1 },
        groups: unitGroups(reduction, units),
      });
      return;
    }
    recorder.dispatch(split, {
      buffers: [...cached, partials, stats],
      params: { units: splits(capacity) * units, ...shared, scale, wanted },
      groups: unitGroups(reduction, splits(capacity) * units),
    });
    recorder.dispatch(combine, {
      buffers: [table, partials, stats, output, lse],
      params: { ...shared, wanted },
      groups: unitGroups(reduction, heads),
    });
  };
  return Object.assign(attend, { splits });
}

/** Units that share the query heads of a KV head. */
function partsOf({ heads, kvHeads }: HeadShape): number {
  return Math.ceil(heads / kvHeads / MOST_HEADS);
}

/** The kernel for many splits, the one for a cache of one split, and the one that combines splits. */
function compileShared(gpu: Gpu, { reduction, kvType, shape }: AttendSpec) {
  const { heads, kvHeads, headDim } = shape;
  const { code, enable } = reductionCode(reduction);
  const parts = partsOf(shape);
  const rowBytes = (headDim + 4) * KV_BYTES[kvType];
  const compileSplit = (isDirect: boolean) =>
    gpu.compile({
      label: `attend_${isDirect ? "direct" : "split"} ${reduction} ${kvType}`,
      code: [code, KV_CODE[kvType], spanWgsl, ioWgsl, splitWgsl],
      access: SPLIT_ACCESS,
      params: SPLIT_PARAMS,
      enable,
      constants: {
        WORKGROUP: MOST_SPAN,
        DEPTH4: headDim / 4,
        GROUP: Math.ceil(heads / kvHeads / parts),
        PARTS: parts,
        TILE: TILE_SLOTS.find((slots) => slots * rowBytes <= TILE_BYTES) as number,
        DIRECT: Number(isDirect),
      },
    });
  return Promise.all([
    compileSplit(false),
    compileSplit(true),
    gpu.compile({
      label: `attend_combine ${reduction}`,
      code: [code, spanWgsl, combineWgsl],
      access: COMBINE_ACCESS,
      params: { heads: "u32", kvHeads: "u32", depth4: "u32", layer: "u32", wanted: "u32" },
      enable,
      constants: { WORKGROUP: MOST_SPAN },
    }),
  ]);
}
