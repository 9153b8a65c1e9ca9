import type { Gpu } from "../../gpu";
import { type Compiled, compileCall } from "../common/kernelCall";
import { reductionCode, unitGroups } from "../common/reduction";
import eliteSelect from "./tap_elite_select.wgsl?raw";
import pooledMax from "./tap_pooled_max.wgsl?raw";
import rowMass from "./tap_row_mass.wgsl?raw";
import rowStrong from "./tap_row_strong.wgsl?raw";
import sumRows from "./tap_sum_rows.wgsl?raw";
import textWeights from "./tap_text_weights.wgsl?raw";
import {
  ceilGroups,
  paddedKeys,
  type TapShape,
  type Tile,
  tapScoreKernels,
  TAP_WORKGROUP as WORKGROUP,
} from "./tapScores";

export type TapAttention = Compiled<ReturnType<typeof tapAttentionKernels>>;

/** All kernels of the attention taps, by name for `compileNamed`. */
export function tapAttentionKernels(gpu: Gpu, shape: TapShape) {
  return { ...tapScoreKernels(gpu, shape), ...tapReductionKernels(gpu, shape) };
}

/** Reductions of a tile's probabilities other than sums over its rows. */
function tapReductionKernels(gpu: Gpu, shape: TapShape) {
  const { heads, kvHeads, reduction, keys } = shape;
  const padded = paddedKeys(keys);
  const keysVec4 = padded / 4;
  const constants = { WORKGROUP };
  const shared = reductionCode(reduction);

  return {
    rowMass: () =>
      compileCall(
        gpu,
        {
          label: `tap_row_mass ${reduction}`,
          code: [shared.code, rowMass],
          enable: shared.enable,
          access: ["read", "read", "read", "write"],
          params: {
            heads: "u32",
            units: "u32",
            keysVec4: "u32",
            rows: "u32",
            tailRow: "u32",
            tailRows: "u32",
          },
          constants: shared.constants,
        },
        (args: {
          readonly probabilities: GPUBuffer;
          readonly counted: GPUBuffer;
          readonly gates: GPUBuffer;
          readonly factors: GPUBuffer;
          readonly units: number;
          readonly tile: Tile;
          readonly tailRows: number;
        }) => ({
          buffers: [args.probabilities, args.counted, args.gates, args.factors],
          params: {
            heads,
            units: args.units,
            keysVec4,
            rows: args.tile.rows,
            tailRow: args.tile.tailRow,
            tailRows: args.tailRows,
          },
          groups: unitGroups(reduction, args.tile.rows * heads),
        }),
      ),

    eliteSelect: () =>
      compileCall(
        gpu,
        {
          label: "tap_elite_select",
          code: [eliteSelect],
          access: ["read", "write", "write", "write"],
          params: {
            layer: "u32",
            units: "u32",
            keys: "u32",
            textStart: "u32",
            textRows: "u32",
            tailRow: "u32",
            tailRows: "u32",
            alpha: "f32",
          },
          constants,
        },
        (args: {
          readonly shares: GPUBuffer;
          readonly gates: GPUBuffer;
          readonly counted: GPUBuffer;
          readonly chosen: GPUBuffer;
          readonly layer: number;
          readonly units: number;
          readonly textStart: number;
          readonly textRows: number;
          readonly tailRow: number;
          readonly tailRows: number;
          readonly alpha: number;
        }) => ({
          buffers: [args.shares, args.gates, args.counted, args.chosen],
          params: {
            layer: args.layer,
            units: args.units,
            keys: padded,
            textStart: args.textStart,
            textRows: args.textRows,
            tailRow: args.tailRow,
            tailRows: args.tailRows,
            alpha: args.alpha,
          },
          groups: [ceilGroups(args.textRows), args.units],
        }),
      ),

    rowStrong: () =>
      compileCall(
        gpu,
        {
          label: `tap_row_strong ${reduction}`,
          code: [shared.code, rowStrong],
          enable: shared.enable,
          access: ["read", "read", "write"],
          params: {
            layer: "u32",
            heads: "u32",
            kvHeads: "u32",
            keysVec4: "u32",
            rows: "u32",
            row: "u32",
            threshold: "f32",
          },
          constants: shared.constants,
        },
        (args: {
          readonly domains: GPUBuffer;
          readonly probabilities: GPUBuffer;
          readonly strong: GPUBuffer;
          readonly tile: Tile;
          readonly threshold: number;
        }) => {
          const { layer, rows, row } = args.tile;
          return {
            buffers: [args.domains, args.probabilities, args.strong],
            params: { layer, heads, kvHeads, keysVec4, rows, row, threshold: args.threshold },
            groups: unitGroups(reduction, rows * heads),
          };
        },
      ),

    sumRows: () =>
      compileCall(
        gpu,
        {
          label: "tap_sum_rows",
          code: [sumRows],
          access: ["read", "write"],
          params: { layer: "u32", heads: "u32", rows: "u32" },
          constants,
        },
        (args: {
          readonly counts: GPUBuffer;
          readonly sums: GPUBuffer;
          readonly layer: number;
          readonly rows: number;
        }) => ({
          buffers: [args.counts, args.sums],
          params: { layer: args.layer, heads, rows: args.rows },
          groups: [ceilGroups(heads)],
        }),
      ),

    textWeights: () =>
      compileCall(
        gpu,
        {
          label: "tap_text_weights",
          code: [textWeights],
          access: ["read", "write"],
          params: {
            layer: "u32",
            heads: "u32",
            keys: "u32",
            rows: "u32",
            row: "u32",
            promptRows: "u32",
          },
          constants,
        },
        (args: {
          readonly sums: GPUBuffer;
          readonly weights: GPUBuffer;
          readonly tile: Tile;
          readonly promptRows: number;
        }) => {
          const { layer, rows, row } = args.tile;
          return {
            buffers: [args.sums, args.weights],
            params: { layer, heads, keys: padded, rows, row, promptRows: args.promptRows },
            groups: [ceilGroups(rows * heads)],
          };
        },
      ),

    pooledMax: () =>
      compileCall(
        gpu,
        {
          label: "tap_pooled_max",
          code: [pooledMax],
          access: ["read", "read", "read", "write"],
          params: {
            layer: "u32",
            heads: "u32",
            kvHeads: "u32",
            keys: "u32",
            pooledKeys: "u32",
            firstRow: "u32",
            endRow: "u32",
            kernelSize: "u32",
          },
          constants,
        },
        (args: {
          readonly probabilities: GPUBuffer;
          readonly perMass: GPUBuffer;
          readonly perPooled: GPUBuffer;
          readonly largest: GPUBuffer;
          readonly tile: Tile;
          readonly pooledKeys: number;
          readonly kernelSize: number;
        }) => ({
          buffers: [args.probabilities, args.perMass, args.perPooled, args.largest],
          params: {
            layer: args.tile.layer,
            heads,
            kvHeads,
            keys: padded,
            pooledKeys: args.pooledKeys,
            firstRow: 0,
            endRow: args.tile.rows,
            kernelSize: args.kernelSize,
          },
          groups: [ceilGroups(args.pooledKeys), kvHeads],
        }),
      ),
  };
}
