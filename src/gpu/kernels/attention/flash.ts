import type { Gpu } from "../../gpu";
import type { Slice } from "../../kernel";
import type { Recorder } from "../../recorder";
import outer from "../common/outer.wgsl?raw";
import { foldGroups } from "../common/reduction";
import type { CacheBinding, HeadShape } from "../kv/cacheBinding";
import { kvCode } from "../kv/kvCode";
import type { KvType } from "../kv/kvType";
import io from "./flash_io.wgsl?raw";
import plain from "./flash_plain.wgsl?raw";
import rowsCode from "./flash_rows.wgsl?raw";
import subgroup from "./flash_subgroup.wgsl?raw";
import tiled from "./flash_tiled.wgsl?raw";

/**
 * `plain` and `subgroup` use no barrier and no shared memory, for software adapters. `tiled` is for
 * GPUs.
 */
export type FlashVariant = "plain" | "subgroup" | "tiled";

/** Largest head size of `tiled`; `plain` is used above it. */
const TILED_HEAD_DIM = 128;

/** A kernel's unit of work: a block of rows of one head. */
interface Blocks {
  readonly code: readonly string[];
  readonly rowsPerUnit: number;
  readonly unitsPerGroup: number;
  readonly constants: Readonly<Record<string, number>>;
}

const PLAIN: Blocks = {
  code: [plain],
  rowsPerUnit: 4,
  unitsPerGroup: 16,
  constants: { WORKGROUP: 16 },
};
const SUBGROUP: Blocks = {
  code: [subgroup],
  rowsPerUnit: 32,
  unitsPerGroup: 1,
  constants: { WORKGROUP: 8 },
};
/** `HIGH` of `flash_tiled.wgsl`: large blocks read keys less often, small ones give more workgroups. */
export const FLASH_HEIGHTS = [8, 4, 2] as const;
/** Workgroups that fill a large GPU. */
const WANTED_GROUPS = 128;

interface FlashSpec {
  readonly variant: FlashVariant;
  readonly kvType: KvType;
  readonly shape: HeadShape;
  /** Whether a row sees only the rows up to its own (default), or all rows of its chunk. */
  readonly isCausal?: boolean;
  /** Chunks are windows of the rows, several per dispatch: `FlashArgs.windows`. */
  readonly isWindowed?: boolean;
  /** One height for blocks of every number of rows; default: by size. Only `tiled` has several. */
  readonly height?: (typeof FLASH_HEIGHTS)[number];
}

interface FlashArgs {
  readonly cache: CacheBinding;
  /** f32 [rows, heads, headDim], rotated, not scaled. */
  readonly queries: Slice;
  /** f32 [rows rounded up to 4, heads, headDim] */
  readonly output: Slice;
  /** f32 [rows, heads]: natural log of the sum of exponentials of the scaled scores. */
  readonly lse: Slice;
  /** Of the chunk; of the largest window. */
  readonly rows: number;
  /**
   * Number of windows. They are layers of the table from `cache.layer` on, each with its number of rows, a
   * multiple of 4, in the place of the flat offset; the offset of its first head is its first row.
   */
  readonly windows?: number;
  /** First row of the chunk in queries, output and lse; default 0. */
  readonly firstRow?: number;
}

export type Flash = (recorder: Recorder, args: FlashArgs) => void;

/** Attention of a chunk of rows that was just appended to the cache. */
export async function createFlash(gpu: Gpu, spec: FlashSpec): Promise<Flash> {
  const { heads, kvHeads, headDim } = spec.shape;
  const candidates = blocksOf(spec);
  const kernels = await Promise.all(candidates.map((blocks) => compile(gpu, spec, blocks)));
  const scale = 1 / Math.sqrt(headDim);

  return (recorder, { cache, queries, output, lse, rows, windows = 1, firstRow = 0 }) => {
    const groups = candidates.map(({ rowsPerUnit, unitsPerGroup }) =>
      Math.ceil((Math.ceil(rows / rowsPerUnit) * heads) / unitsPerGroup),
    );
    const filling = groups.findIndex((count) => count * windows >= WANTED_GROUPS);
    const chosen = filling < 0 ? groups.length - 1 : filling;
    const { layer } = cache;
    const [x, y = 1] = foldGroups(groups[chosen] as number);
    recorder.dispatch(kernels[chosen] as (typeof kernels)[number], {
      buffers: [queries, cache.keys, cache.values, cache.table, output, lse],
      params: { rows, heads, kvHeads, depth4: headDim / 4, layer, scale, first: firstRow },
      groups: [x, y, windows],
    });
  };
}

/** From the largest block to the smallest. */
function blocksOf({ variant, shape, height }: FlashSpec): readonly Blocks[] {
  const { headDim } = shape;
  if (variant === "subgroup") return [SUBGROUP];
  if (variant === "plain" || headDim > TILED_HEAD_DIM) return [PLAIN];
  return (height ? [height] : FLASH_HEIGHTS).map((high) => ({
    code: [outer, rowsCode, tiled],
    rowsPerUnit: 8 * high,
    unitsPerGroup: 1,
    constants: {
      HIGH: high,
      WORKGROUP: 16 * high,
      DEPTH4: headDim / 4,
      COLUMNS: Math.ceil(headDim / 64),
    },
  }));
}

function compile(gpu: Gpu, spec: FlashSpec, blocks: Blocks) {
  const { variant, kvType, isCausal = true, isWindowed = false } = spec;
  const kv = kvCode(kvType, spec.shape.headDim, { read: ["keys", "values"] });
  return gpu.compile({
    label: `flash ${variant} ${kvType}${isCausal ? "" : " bidirectional"}`,
    code: [...kv.code, io, ...blocks.code],
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
    enable: variant === "subgroup" ? ["subgroups"] : [],
    constants: {
      ...{ CAUSAL: Number(isCausal), WINDOWED: Number(isWindowed) },
      ...kv.constants,
      ...blocks.constants,
    },
  });
}
