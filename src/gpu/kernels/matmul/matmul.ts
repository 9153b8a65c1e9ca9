import type { Gpu } from "../../gpu";
import type { Slice } from "../../kernel";
import type { Recorder } from "../../recorder";
import type { DType } from "../common/dtype";
import type { Matrix } from "../common/matrix";
import outer from "../common/outer.wgsl?raw";
import { foldGroups } from "../common/reduction";
import { weightCode } from "../weights/weightCode";
import gelu from "./activation_gelu.wgsl?raw";
import geluTanh from "./activation_gelu_tanh.wgsl?raw";
import quickGelu from "./activation_quick_gelu.wgsl?raw";
import factorF16 from "./factor_f16.wgsl?raw";
import factorF32 from "./factor_f32.wgsl?raw";
import io from "./matmul_io.wgsl?raw";
import narrow from "./matmul_narrow.wgsl?raw";
import registers from "./matmul_registers.wgsl?raw";
import subgroup from "./matmul_subgroup.wgsl?raw";
import tiled from "./matmul_tiled.wgsl?raw";
import storeActivated from "./store_activated.wgsl?raw";
import storeBias from "./store_bias.wgsl?raw";
import storeGated from "./store_gated.wgsl?raw";
import storeResidual from "./store_residual.wgsl?raw";
import storeScaled from "./store_scaled.wgsl?raw";

/**
 * `registers` and `subgroup` need no barrier and no shared memory: for adapters where those are
 * slow. `tiled` is for GPUs. `tiledF16` (with `shader-f16`) holds both factors as f16 in shared memory, which is half
 * the bytes, and adds up in f32; it rounds inputs to 11 bits.
 */
export type MatmulVariant = "registers" | "subgroup" | "tiled" | "tiledF16";

/** GELU and its approximations, by which configurations tell them apart. */
export type Activation = "gelu" | "geluTanh" | "quickGelu";

/**
 * How a product is stored: with `bias` added, added to the output, scaled and added to it, as
 * SiLU(gate) × up, or as an activation of product + bias.
 */
export type MatmulStore = "bias" | "residual" | "scaled" | "gated" | Activation;

/**
 * Products whose input no norm bounds: a factor of the MLP may exceed what f16 holds, so `tiledF16` holds them as
 * f32.
 */
const UNBOUNDED: readonly MatmulStore[] = ["residual", "scaled"];

/** Whether `tiledF16` rounds the inputs of a product that is stored so. */
export function roundsInputs(store: MatmulStore): boolean {
  return !UNBOUNDED.includes(store);
}

export interface MatmulSpec {
  readonly variant: MatmulVariant;
  readonly dtype: DType;
  readonly store: MatmulStore;
  /** One block for products of every size; default: by size. Only `tiled` has several. */
  readonly block?: MatmulBlock;
  /** Products of most rows, for which a block is compiled, beside those for few rows; default: all but narrow ones. */
  readonly sizes?: readonly MatmulSize[];
  /** Products of nearly all sizes that run: no blocks but theirs are compiled. */
  readonly onlySizes?: readonly MatmulSize[];
}

/** Blocks of `tiled`; the `narrow` ones are for as many rows as they are named after, or fewer. */
export const MATMUL_BLOCKS = ["narrow4", "narrow8", "broad", "square", "small"] as const;
type MatmulBlock = (typeof MATMUL_BLOCKS)[number];

/** Size of a product; `columns` as stored: a gated matrix has gate and up. */
export interface MatmulSize {
  readonly rows: number;
  readonly columns: number;
}

interface MatmulArgs {
  /** f32 [rows, matrix.columns] */
  readonly input: Slice;
  readonly matrix: Matrix;
  /** f32 [matrix.rows], for a gated matrix [2, matrix.rows], scaled: bias, then scale. */
  readonly bias: Slice;
  /** f32 [rows, matrix.rows] */
  readonly output: Slice;
  readonly rows: number;
}

export type Matmul = (recorder: Recorder, args: MatmulArgs) => void;

const STORE_CODE: Readonly<Record<MatmulStore, readonly string[]>> = {
  bias: [storeBias],
  residual: [storeResidual],
  scaled: [storeScaled],
  gated: [storeGated],
  gelu: [gelu, storeActivated],
  geluTanh: [geluTanh, storeActivated],
  quickGelu: [quickGelu, storeActivated],
};
/** A kernel's blocks of the product. */
interface Blocks {
  readonly code: string;
  readonly blockRows: number;
  readonly blockColumns: number;
  readonly blocksPerGroup: number;
  readonly fewestGroups?: number;
  readonly constants: Readonly<Record<string, number>>;
}

const REGISTERS: Blocks = {
  code: registers,
  blockRows: 6,
  blockColumns: 4,
  blocksPerGroup: 16,
  constants: { WORKGROUP: 16 },
};
const SUBGROUP: Blocks = {
  code: subgroup,
  blockRows: 8,
  blockColumns: 64,
  blocksPerGroup: 1,
  constants: { WORKGROUP: 16 },
};
/**
 * Of those that hold all rows, the first that is narrow; else from the largest to the smallest: a large block reads
 * less, and a small one gives more workgroups. `fewestGroups`: workgroups from which a block is faster than the next
 * smaller one (measured on 132 processors: docs/log/performance.md).
 */
const TILED: Readonly<Record<MatmulBlock, Blocks>> = {
  narrow4: narrowBlocks(4),
  narrow8: narrowBlocks(8),
  broad: { ...sharedBlocks({ high: 8, wide: 16, times: 2, depth4: 2 }), fewestGroups: 192 },
  square: { ...sharedBlocks({ high: 16, wide: 16, times: 1, depth4: 8 }), fewestGroups: 96 },
  small: sharedBlocks({ high: 8, wide: 8, times: 1, depth4: 4 }),
};

function narrowBlocks(rows: number): Blocks {
  return {
    code: narrow,
    blockRows: rows,
    blockColumns: 16,
    blocksPerGroup: 1,
    constants: { ROWS: rows, WORKGROUP: 256 },
  };
}

/** A workgroup of `high` × `wide`; an invocation owns `times`² squares of 4 × 4. */
function sharedBlocks({
  high,
  wide,
  times,
  depth4,
}: Readonly<Record<"high" | "wide" | "times" | "depth4", number>>): Blocks {
  return {
    code: tiled,
    blockRows: 4 * high * times,
    blockColumns: 4 * wide * times,
    blocksPerGroup: 1,
    constants: {
      HIGH: high,
      WIDE: wide,
      TIMES: times,
      DEPTH4: depth4,
      WORKGROUP: high * wide,
    },
  };
}

function blocksOf({ variant, block, sizes, onlySizes }: MatmulSpec): readonly Blocks[] {
  if (variant === "registers") return [REGISTERS];
  if (variant === "subgroup") return [SUBGROUP];
  if (block) return [TILED[block]];
  const all = Object.values(TILED);
  const wide = all.filter((each) => !isNarrow(each));
  if (onlySizes) {
    const chosen = onlySizes.map(({ rows, columns }) => choose(wide, rows, columns));
    return wide.filter((each) => chosen.includes(each));
  }
  if (!sizes) return wide;
  const wanted = sizes.map(({ rows, columns }) => choose(all, rows, columns));
  return all.filter((each) => isNarrow(each) || wanted.includes(each) || each === TILED.small);
}

function isNarrow({ code }: Blocks): boolean {
  return code === narrow;
}

/** A narrow block that holds all rows, else the largest one that fills the GPU, else the smallest. */
function choose(candidates: readonly Blocks[], rows: number, columns: number): Blocks {
  const chosen = candidates.find((each) =>
    isNarrow(each)
      ? rows <= each.blockRows
      : groupsOf(each, rows, columns) >= (each.fewestGroups ?? 0),
  );
  return chosen ?? (candidates.at(-1) as Blocks);
}

function groupsOf(
  { blockRows, blockColumns, blocksPerGroup }: Blocks,
  rows: number,
  columns: number,
) {
  const blocks = Math.ceil(rows / blockRows) * Math.ceil(columns / blockColumns);
  return Math.ceil(blocks / blocksPerGroup);
}

/** input × matrixᵀ for many rows at once. */
export async function createMatmul(gpu: Gpu, spec: MatmulSpec): Promise<Matmul> {
  const candidates = blocksOf(spec);
  const kernels = new Map(
    await Promise.all(
      candidates.map(async (each) => [each, await compile(gpu, spec, each)] as const),
    ),
  );
  const stored = spec.store === "gated" ? 2 : 1;

  return (recorder, { input, matrix, bias, output, rows }) => {
    if (matrix.dtype !== spec.dtype) {
      throw new RangeError(`matmul ${spec.dtype}: ${matrix.label} is ${matrix.dtype}`);
    }
    for (const part of matrix.parts) {
      const columns = part.rows * stored;
      const chosen = choose(candidates, rows, columns);
      const kernel = kernels.get(chosen) as NonNullable<ReturnType<typeof kernels.get>>;
      recorder.dispatch(kernel, {
        buffers: [input, part.buffer, bias, output],
        params: {
          rows,
          columns,
          depth4: matrix.columns / 4,
          firstColumn: part.firstRow,
          outputColumns: matrix.rows,
        },
        groups: foldGroups(groupsOf(chosen, rows, columns)),
      });
    }
  };
}

function compile(gpu: Gpu, { variant, dtype, store }: MatmulSpec, { code, constants }: Blocks) {
  const isHalf = variant === "tiledF16" && code === tiled && roundsInputs(store);
  const name = variant.startsWith("tiled") ? `tiled${isHalf ? "F16" : ""}` : variant;
  const factor = code === tiled ? [isHalf ? factorF16 : factorF32] : [];
  return gpu.compile({
    label: `matmul ${name} ${dtype} ${store}`,
    code: [...weightCode(dtype), ...STORE_CODE[store], outer, io, ...factor, code],
    access: ["read", "read", "read", "write"],
    params: {
      rows: "u32",
      columns: "u32",
      depth4: "u32",
      firstColumn: "u32",
      outputColumns: "u32",
    },
    enable: [...(variant === "subgroup" ? ["subgroups"] : []), ...(isHalf ? ["f16"] : [])],
    constants,
  });
}
