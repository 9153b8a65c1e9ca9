import type { Gpu } from "../../gpu";
import type { Slice } from "../../kernel";
import type { Recorder } from "../../recorder";
import { foldGroups, type Reduction, reductionCode, unitGroups } from "../common/reduction";
import type { CacheBinding, HeadShape } from "../kv/cacheBinding";
import { kvCode } from "../kv/kvCode";
import { isGroupedKv, type KvType, kvBits } from "../kv/kvType";
import appendWgsl from "./attend_append.wgsl?raw";
import cachedWgsl from "./attend_cached.wgsl?raw";
import combineWgsl from "./attend_combine.wgsl?raw";
import combinePlainWgsl from "./attend_combine_plain.wgsl?raw";
import ioWgsl from "./attend_io.wgsl?raw";
import scoresWgsl from "./attend_scores.wgsl?raw";
import spanWgsl from "./attend_span.wgsl?raw";
import splitWgsl from "./attend_split.wgsl?raw";
import plainWgsl from "./attend_split_plain.wgsl?raw";
import { ATTEND_DIVISIONS, type AttendDivision, DIRECT_SLOTS } from "./attendDivision";

export interface AttendSpec {
  readonly reduction: Reduction;
  readonly kvType: KvType;
  readonly shape: HeadShape;
  /** Default: `wide`; trials change a part of it. */
  readonly division?: Partial<AttendDivision>;
  /** From `newRowOf`: attention appends the newest row. Default: the cache holds it already. */
  readonly newRow?: NewRow | undefined;
}

/** The newest row, where attention appends it (`attend_append.wgsl`). */
export interface NewRow {
  /** Of the norm of queries and keys over their heads, if they have one. */
  readonly normEpsilon?: number | undefined;
}

export interface AttendArgs {
  readonly cache: CacheBinding;
  /** Largest capacity of the layer's heads, in rows; bounds the number of splits. */
  readonly capacity: number;
  /** f32 [heads, headDim], rotated, not scaled. Written if attention appends the newest row. */
  readonly queries: Slice;
  /** If attention appends it: what `DecodeKernels.qkvRow` has written. */
  readonly qkv?: Slice | undefined;
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

/** Largest head size for the shared variant, whose rows are whole runs of 16 bytes; else one invocation computes a unit. */
const SHARED_HEAD_DIM = 256;

/**
 * Attention of the newest row over the whole cache, computed in splits of the cache and combined
 * (split-K; https://crfm.stanford.edu/2023/10/12/flashdecoding.html).
 */
export function createAttend(gpu: Gpu, spec: AttendSpec): Promise<Attend> {
  return isShared(spec) ? createShared(gpu, spec) : createPlain(gpu, spec);
}

/**
 * The newest row if attention is to append it: if its norm or its codes need whole heads, and workgroups have shared
 * memory to keep it in.
 */
export function newRowOf(spec: AttendSpec, normEpsilon: number | undefined): NewRow | undefined {
  const needsHeads = normEpsilon !== undefined || isGroupedKv(spec.kvType);
  return needsHeads && isShared(spec) ? { normEpsilon } : undefined;
}

function isShared(spec: AttendSpec): boolean {
  const { reduction, shape } = spec;
  const hasRuns = Number.isInteger(runsOf(spec));
  return reduction !== "one" && shape.headDim <= SHARED_HEAD_DIM && hasRuns;
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
const APPEND_ACCESS = ["read", "write", "write", "read", "write", "write", "write"] as const;
const COMBINE_ACCESS = ["read", "read", "read", "write", "write"] as const;

/** Constants of `attend_split_plain.wgsl`. */
const PLAIN_GROUP = 16;
const PLAIN_SPLIT = 32;

async function createPlain(gpu: Gpu, { kvType, shape }: AttendSpec): Promise<Attend> {
  const { heads, kvHeads, headDim } = shape;
  const kv = kvCode(kvType, headDim, { read: ["keys", "values"] });
  const [split, combine] = await Promise.all([
    gpu.compile({
      label: `attend_split plain ${kvType}`,
      code: [...kv.code, ioWgsl, plainWgsl],
      access: SPLIT_ACCESS,
      params: SPLIT_PARAMS,
      constants: { ...kv.constants, WORKGROUP: PLAIN_GROUP },
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

/** Most elements of a row times slots of the only split: one processor reads them. */
const DIRECT_ELEMENTS = DIRECT_SLOTS * 64;
/** Most elements of a unit's queries: 4 KiB of the 16 that every device has. */
const QUERY_ELEMENTS = 1024;
/** Most query heads of a unit that count as few. */
const FEW_HEADS = 4;
/** Invocations of a workgroup for the only split, and to combine splits. */
const DIRECT_GROUP = 256;
const COMBINE_GROUP = 256;

const divisionOf = ({ division }: AttendSpec): AttendDivision => ({
  ...ATTEND_DIVISIONS.wide,
  ...division,
});

async function createShared(gpu: Gpu, spec: AttendSpec): Promise<Attend> {
  const { reduction, shape, newRow } = spec;
  const { heads, kvHeads, headDim } = shape;
  const { wantedGroups, leastSpan, directSlots } = divisionOf(spec);
  const group = groupOf(spec);
  const mostSpan = mostSpanOf(spec);
  const parts = Math.ceil(heads / kvHeads / group);
  const [split, direct, combine] = await compileShared(gpu, spec);
  const wanted = Math.ceil(wantedGroups / (kvHeads * parts));
  const isDirect = (capacity: number) =>
    capacity <= Math.min(directSlots, DIRECT_ELEMENTS / headDim);
  const splits = (capacity: number) => {
    if (isDirect(capacity)) return 1;
    const most = Math.ceil(capacity / leastSpan);
    return Math.max(Math.min(most, wanted), Math.ceil(capacity / mostSpan));
  };
  const attend = (recorder: Recorder, args: AttendArgs) => {
    const { queries, qkv, partials, stats, output, lse, capacity } = args;
    const { keys, values, table, layer } = args.cache;
    if ((qkv === undefined) !== (newRow === undefined)) {
      throw new TypeError("attend: new row and kernel differ");
    }
    const shared = { heads, kvHeads, depth4: headDim / 4, layer };
    const scale = 1 / Math.sqrt(headDim);
    const cached = [qkv ?? queries, keys, values, table];
    const written = qkv ? [queries] : [];
    if (isDirect(capacity)) {
      recorder.dispatch(direct, {
        buffers: [...cached, output, lse, ...written],
        params: { units: heads, ...shared, scale, wanted: 1 },
        groups: foldGroups(heads),
      });
      return;
    }
    const units = splits(capacity) * kvHeads * parts;
    recorder.dispatch(split, {
      buffers: [...cached, partials, stats, ...written],
      params: { units, ...shared, scale, wanted },
      groups: unitGroups(reduction, units),
    });
    recorder.dispatch(combine, {
      buffers: [table, partials, stats, output, lse],
      params: { ...shared, wanted },
      groups: unitGroups(reduction, heads),
    });
  };
  return Object.assign(attend, { splits });
}

/** Runs of 16 bytes of a row; not whole if it does not consist of them. */
function runsOf({ kvType, shape }: AttendSpec): number {
  return (shape.headDim * kvBits(kvType)) / 128;
}

/**
 * Query heads of a unit: two for each team of invocations that reads a row of values, while their queries leave shared
 * memory for the rest.
 */
function groupOf(spec: AttendSpec): number {
  const { heads, kvHeads, headDim } = spec.shape;
  const { mostHeads, workgroup } = divisionOf(spec);
  const teams = Math.floor(workgroup / runsOf(spec));
  const most = Math.min(mostHeads, 2 * teams, Math.floor(QUERY_ELEMENTS / headDim));
  return Math.ceil(heads / kvHeads / Math.ceil(heads / kvHeads / most));
}

function mostSpanOf(spec: AttendSpec): number {
  const { few, many } = divisionOf(spec).mostSpan;
  return groupOf(spec) <= FEW_HEADS ? few : many;
}

/** The kernel for many splits, the one for a cache of one split, and the one that combines splits. */
function compileShared(gpu: Gpu, spec: AttendSpec) {
  const { reduction, kvType, shape, newRow } = spec;
  const { heads, kvHeads, headDim } = shape;
  const { code, enable, constants: reduced } = reductionCode(reduction, gpu);
  const shared = groupOf(spec);
  const runs = runsOf(spec);
  const caches = ["keys", "values"];
  const kv = kvCode(kvType, headDim, { runs: caches, ...(newRow && { put: caches }) });
  const { normEpsilon } = newRow ?? {};
  const norm = normEpsilon === undefined ? {} : { NORMED: 1, EPSILON: normEpsilon };
  const { workgroup: splitGroup, leastSpan: LEAST_SPAN } = divisionOf(spec);
  const spans = { LEAST_SPAN, MOST_SPAN: mostSpanOf(spec) };
  const compileSplit = (workgroup: number, group: number, constants: Record<string, number>) => {
    const halves = Math.ceil(group / 2);
    return gpu.compile({
      label: `attend_${constants.DIRECT ? "direct" : "split"} ${newRow ? "append " : ""}${reduction} ${kvType}`,
      code: [
        ...[code, ...kv.code, spanWgsl, ioWgsl],
        ...[newRow ? appendWgsl : cachedWgsl, splitWgsl, scoresWgsl],
      ],
      access: newRow ? APPEND_ACCESS : SPLIT_ACCESS,
      params: SPLIT_PARAMS,
      enable,
      constants: {
        ...reduced,
        ...kv.constants,
        ...norm,
        WORKGROUP: workgroup,
        DEPTH4: headDim / 4,
        RUNS: runs,
        GROUP: group,
        PARTS: Math.ceil(heads / kvHeads / group),
        HALVES: halves,
        STRIPES: Math.floor(workgroup / (runs * halves)),
        ...constants,
      },
    });
  };
  return Promise.all([
    compileSplit(splitGroup, shared, spans),
    compileSplit(DIRECT_GROUP, 1, { LEAST_SPAN, MOST_SPAN: DIRECT_SLOTS, DIRECT: 1 }),
    gpu.compile({
      label: `attend_combine ${reduction}`,
      code: [code, spanWgsl, combineWgsl],
      access: COMBINE_ACCESS,
      params: { heads: "u32", kvHeads: "u32", depth4: "u32", layer: "u32", wanted: "u32" },
      enable,
      constants: { ...reduced, WORKGROUP: COMBINE_GROUP, ...spans },
    }),
  ]);
}
