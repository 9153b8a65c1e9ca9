import type { Gpu } from "../../gpu";
import type { Slice } from "../../kernel";
import type { Recorder } from "../../recorder";
import { type DType, WEIGHT_CODE } from "../common/dtype";
import type { Matrix } from "../common/matrix";
import { foldGroups } from "../common/reduction";
import gelu from "./activation_gelu.wgsl?raw";
import geluTanh from "./activation_gelu_tanh.wgsl?raw";
import quickGelu from "./activation_quick_gelu.wgsl?raw";
import io from "./matmul_io.wgsl?raw";
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
 * slow. `tiled` is for GPUs.
 */
export type MatmulVariant = "registers" | "subgroup" | "tiled";

/** GELU and its approximations, by which configurations tell them apart. */
export type Activation = "gelu" | "geluTanh" | "quickGelu";

/**
 * How a product is stored: with `bias` added, added to the output, scaled and added to it, as
 * SiLU(gate) × up, or as an activation of product + bias.
 */
export type MatmulStore = "bias" | "residual" | "scaled" | "gated" | Activation;

export interface MatmulSpec {
  readonly variant: MatmulVariant;
  readonly dtype: DType;
  readonly store: MatmulStore;
}

export interface MatmulArgs {
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
/** Size of a tile of the product, and the number of tiles per workgroup. */
const VARIANTS = {
  registers: { code: registers, tileRows: 6, tileColumns: 4, workgroup: 16, tilesPerGroup: 16 },
  subgroup: { code: subgroup, tileRows: 8, tileColumns: 64, workgroup: 16, tilesPerGroup: 1 },
  tiled: { code: tiled, tileRows: 64, tileColumns: 64, workgroup: 0, tilesPerGroup: 1 },
} as const;

/** input × matrixᵀ for many rows at once. */
export async function createMatmul(gpu: Gpu, spec: MatmulSpec): Promise<Matmul> {
  const { code, tileRows, tileColumns, workgroup, tilesPerGroup } = VARIANTS[spec.variant];
  const kernel = await gpu.compile({
    label: `matmul ${spec.variant} ${spec.dtype} ${spec.store}`,
    code: [WEIGHT_CODE[spec.dtype], ...STORE_CODE[spec.store], io, code],
    access: ["read", "read", "read", "write"],
    params: {
      rows: "u32",
      columns: "u32",
      depth4: "u32",
      firstColumn: "u32",
      outputColumns: "u32",
    },
    enable: spec.variant === "subgroup" ? ["subgroups"] : [],
    constants: workgroup > 0 ? { WORKGROUP: workgroup } : {},
  });
  const stored = spec.store === "gated" ? 2 : 1;

  return (recorder, { input, matrix, bias, output, rows }) => {
    if (matrix.dtype !== spec.dtype) {
      throw new RangeError(`${kernel.label}: ${matrix.label} is ${matrix.dtype}`);
    }
    for (const part of matrix.parts) {
      const columns = part.rows * stored;
      const tiles = Math.ceil(rows / tileRows) * Math.ceil(columns / tileColumns);
      recorder.dispatch(kernel, {
        buffers: [input, part.buffer, bias, output],
        params: {
          rows,
          columns,
          depth4: matrix.columns / 4,
          firstColumn: part.firstRow,
          outputColumns: matrix.rows,
        },
        groups: foldGroups(Math.ceil(tiles / tilesPerGroup)),
      });
    }
  };
}
