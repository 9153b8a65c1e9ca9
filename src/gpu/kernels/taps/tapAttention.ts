import type { Gpu } from "../../gpu";
import { f32Bits } from "../../recorder";
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

/** All kernels of the attention taps, to be compiled by name. */
export function tapAttentionKernels(gpu: Gpu, shape: TapShape) {
  return { ...tapScoreKernels(gpu, shape), ...tapReductionKernels(gpu, shape) };
}

/** What is made of a tile's probabilities besides sums over its rows. */
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
          params: [heads, args.units, keysVec4, args.tile.rows, args.tile.tailRow, args.tailRows],
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
          params: [
            args.layer,
            args.units,
            padded,
            args.textStart,
            args.textRows,
            args.tailRow,
            args.tailRows,
            f32Bits(args.alpha),
          ],
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
            params: [layer, heads, kvHeads, keysVec4, rows, row, f32Bits(args.threshold)],
            groups: unitGroups(reduction, rows * heads),
          };
        },
      ),

    sumRows: () =>
      compileCall(
        gpu,
        { label: "tap_sum_rows", code: [sumRows], access: ["read", "write"], constants },
        (args: {
          readonly counts: GPUBuffer;
          readonly sums: GPUBuffer;
          readonly layer: number;
          readonly rows: number;
        }) => ({
          buffers: [args.counts, args.sums],
          params: [args.layer, heads, args.rows],
          groups: [ceilGroups(heads)],
        }),
      ),

    textWeights: () =>
      compileCall(
        gpu,
        { label: "tap_text_weights", code: [textWeights], access: ["read", "write"], constants },
        (args: {
          readonly sums: GPUBuffer;
          readonly weights: GPUBuffer;
          readonly tile: Tile;
          readonly promptRows: number;
        }) => {
          const { layer, rows, row } = args.tile;
          return {
            buffers: [args.sums, args.weights],
            params: [layer, heads, padded, rows, row, args.promptRows],
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
          params: [
            args.tile.layer,
            heads,
            kvHeads,
            padded,
            args.pooledKeys,
            0,
            args.tile.rows,
            args.kernelSize,
          ],
          groups: [ceilGroups(args.pooledKeys), kvHeads],
        }),
      ),
  };
}
