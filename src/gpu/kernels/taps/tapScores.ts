import type { Gpu } from "../../gpu";
import { compileCall } from "../common/kernelCall";
import { KV_CODE, type KvType } from "../common/kvType";
import type { Reduction } from "../common/reduction";
import columnSum from "./tap_column_sum.wgsl?raw";
import copyRows from "./tap_copy_rows.wgsl?raw";
import fold from "./tap_fold.wgsl?raw";
import probabilities from "./tap_probabilities.wgsl?raw";
import sumPlanes from "./tap_sum_planes.wgsl?raw";

/** Invocations per workgroup of the kernels without reductions. */
export const TAP_WORKGROUP = 32;
const WORKGROUP = TAP_WORKGROUP;

/** Sizes shared by all attention taps of one prompt. */
export interface TapShape {
  /** H, query heads. */
  readonly heads: number;
  /** G */
  readonly kvHeads: number;
  readonly headDim: number;
  readonly kvType: KvType;
  readonly reduction: Reduction;
  /** Keys of the domain. */
  readonly keys: number;
}

/** Query rows of one layer, as the decoder provides them. */
export interface Queries {
  /** [rows, heads, headDim] rotated, not scaled. */
  readonly q: GPUBuffer;
  /** [rows, heads] natural log-sum-exp of the scaled scores. */
  readonly lse: GPUBuffer;
}

/** Query row q has the weight factor · decay^(lastRow - q). */
export interface Weighting {
  readonly lastRow: number;
  readonly decay: number;
  readonly factor: number;
}

/** A tile of query rows whose probabilities are in scratch memory. */
export interface Tile {
  readonly layer: number;
  /** First row within the stored tail, and within the prompt. */
  readonly tailRow: number;
  readonly row: number;
  readonly rows: number;
}

/** Keys padded to whole vec4s. */
export function paddedKeys(keys: number): number {
  return Math.ceil(keys / 4) * 4;
}

export const ceilGroups = (threads: number): number => Math.ceil(threads / WORKGROUP);

/**
 * Kernels for attention probabilities and their sums, by name for `compileNamed`. The header of
 * each `tap_*.wgsl` describes buffers, shapes and dispatch sizes.
 */
export function tapScoreKernels(gpu: Gpu, shape: TapShape) {
  const { heads, kvHeads, headDim, kvType, keys } = shape;
  const rowVec4 = headDim / 4;
  const padded = paddedKeys(keys);
  const keysVec4 = padded / 4;
  const scale = 1 / Math.sqrt(headDim);
  const constants = { WORKGROUP };
  const cacheConstants = { WORKGROUP, ROW_VEC4: rowVec4 };
  const kv = KV_CODE[kvType];

  return {
    columnSum: () =>
      compileCall(
        gpu,
        {
          label: "tap_column_sum",
          code: [kv, columnSum],
          access: ["read", "read", "read", "read", "write"],
          params: {
            layer: "u32",
            heads: "u32",
            kvHeads: "u32",
            firstRow: "u32",
            rows: "u32",
            keys: "u32",
            splits: "u32",
            scale: "f32",
            lastRow: "u32",
            log2Decay: "f32",
            factor: "f32",
          },
          constants: cacheConstants,
        },
        (args: {
          readonly domains: GPUBuffer;
          readonly k: GPUBuffer;
          readonly queries: Queries;
          readonly planes: GPUBuffer;
          readonly layer: number;
          readonly firstRow: number;
          readonly rows: number;
          readonly splits: number;
          readonly weighting: Weighting;
        }) => ({
          buffers: [args.domains, args.k, args.queries.q, args.queries.lse, args.planes],
          params: {
            layer: args.layer,
            heads,
            kvHeads,
            firstRow: args.firstRow,
            rows: args.rows,
            keys,
            splits: args.splits,
            scale,
            lastRow: args.weighting.lastRow,
            log2Decay: Math.max(Math.log2(args.weighting.decay), -1e30),
            factor: args.weighting.factor,
          },
          groups: [ceilGroups(keysVec4), kvHeads, args.splits],
        }),
      ),

    sumPlanes: () =>
      compileCall(
        gpu,
        {
          label: "tap_sum_planes",
          code: [sumPlanes],
          access: ["read", "write"],
          params: { splits: "u32", width: "u32" },
          constants,
        },
        (args: {
          readonly planes: GPUBuffer;
          readonly sums: GPUBuffer;
          readonly layers: number;
          readonly splits: number;
        }) => ({
          buffers: [args.planes, args.sums],
          params: { splits: args.splits, width: kvHeads * keysVec4 },
          groups: [ceilGroups(kvHeads * keysVec4), args.layers],
        }),
      ),

    copyRows: () =>
      compileCall(
        gpu,
        {
          label: "tap_copy_rows",
          code: [copyRows],
          access: ["read", "read", "write", "write"],
          params: { fromRow: "u32", toRow: "u32", width: "u32", heads: "u32" },
          constants,
        },
        (args: {
          readonly from: Queries;
          readonly to: Queries;
          readonly fromRow: number;
          readonly toRow: number;
          readonly rows: number;
        }) => ({
          buffers: [args.from.q, args.from.lse, args.to.q, args.to.lse],
          params: { fromRow: args.fromRow, toRow: args.toRow, width: heads * rowVec4, heads },
          groups: [ceilGroups(heads * rowVec4), args.rows],
        }),
      ),

    probabilities: () =>
      compileCall(
        gpu,
        {
          label: "tap_probabilities",
          code: [kv, probabilities],
          access: ["read", "read", "read", "read", "write"],
          params: {
            layer: "u32",
            heads: "u32",
            kvHeads: "u32",
            tailRow: "u32",
            row: "u32",
            rows: "u32",
            keys: "u32",
            scale: "f32",
          },
          constants: cacheConstants,
        },
        (args: {
          readonly domains: GPUBuffer;
          readonly k: GPUBuffer;
          readonly tail: Queries;
          readonly probabilities: GPUBuffer;
          readonly tile: Tile;
        }) => {
          const { layer, tailRow, row, rows } = args.tile;
          return {
            buffers: [args.domains, args.k, args.tail.q, args.tail.lse, args.probabilities],
            params: { layer, heads, kvHeads, tailRow, row, rows, keys, scale },
            groups: [ceilGroups(keysVec4), Math.ceil(rows / 4), heads],
          };
        },
      ),

    fold: () =>
      compileCall(
        gpu,
        {
          label: "tap_fold",
          code: [fold],
          access: ["read", "read", "write"],
          params: {
            layer: "u32",
            heads: "u32",
            units: "u32",
            keysVec4: "u32",
            firstRow: "u32",
            endRow: "u32",
            takesMax: "u32",
            scale: "f32",
          },
          constants,
        },
        (args: {
          readonly probabilities: GPUBuffer;
          readonly weights: GPUBuffer;
          readonly folded: GPUBuffer;
          readonly layer: number;
          readonly units: number;
          /** Rows of the tile, half-open. */
          readonly firstRow: number;
          readonly endRow: number;
          readonly takes: "sum" | "max";
          readonly scale: number;
        }) => ({
          buffers: [args.probabilities, args.weights, args.folded],
          params: {
            layer: args.layer,
            heads,
            units: args.units,
            keysVec4,
            firstRow: args.firstRow,
            endRow: args.endRow,
            takesMax: args.takes === "max" ? 1 : 0,
            scale: args.scale,
          },
          groups: [ceilGroups(keysVec4), args.units],
        }),
      ),
  };
}
