import type { Gpu } from "@/gpu/gpu";
import type { Queries } from "@/gpu/kernels/attention/queries";
import { compileCall } from "@/gpu/kernels/common/kernelCall";
import { reductionCode, unitGroups } from "@/gpu/kernels/common/reduction";
import { kvCode } from "@/gpu/kernels/kv/kvCode";
import { paddedKeys, type QueryBlock, type TapShape } from "../tap";
import copyRows from "./tap_copy_rows.wgsl?raw";
import fold from "./tap_fold.wgsl?raw";
import probabilities from "./tap_probabilities.wgsl?raw";
import rowMass from "./tap_row_mass.wgsl?raw";

/**
 * Kernels that several taps run; buffers, shapes and dispatch sizes are described in the header of each
 * `.wgsl` file. A kernel is compiled once, however many taps ask for it.
 */

/** Invocations per workgroup of the kernels without reductions. */
export const TAP_WORKGROUP = 32;

export const ceilGroups = (threads: number): number => Math.ceil(threads / TAP_WORKGROUP);

/** Keeps the queries of the last rows. */
export function compileCopyRows(gpu: Gpu, { heads, headDim }: TapShape) {
  const width = (heads * headDim) / 4;
  return compileCall(
    gpu,
    {
      label: "tap_copy_rows",
      code: [copyRows],
      access: ["read", "read", "write", "write"],
      params: { fromRow: "u32", toRow: "u32", width: "u32", heads: "u32" },
      constants: { WORKGROUP: TAP_WORKGROUP },
    },
    (args: {
      readonly from: Queries;
      readonly to: Queries;
      readonly fromRow: number;
      readonly toRow: number;
      readonly rows: number;
    }) => ({
      buffers: [args.from.q, args.from.lse, args.to.q, args.to.lse],
      params: { fromRow: args.fromRow, toRow: args.toRow, width, heads },
      groups: [ceilGroups(width), args.rows],
    }),
  );
}

/** The attention of a block of query rows to all keys of the span. */
export function compileProbabilities(gpu: Gpu, shape: TapShape) {
  const { heads, kvHeads, headDim, kvType, keys } = shape;
  const kv = kvCode(kvType, headDim, { read: ["cache"] });
  return compileCall(
    gpu,
    {
      label: "tap_probabilities",
      code: [...kv.code, probabilities],
      access: ["read", "read", "read", "read", "write"],
      params: {
        layer: "u32",
        heads: "u32",
        kvHeads: "u32",
        queryRow: "u32",
        row: "u32",
        rows: "u32",
        keys: "u32",
        scale: "f32",
      },
      constants: { WORKGROUP: TAP_WORKGROUP, ...kv.constants },
    },
    (args: {
      readonly spans: GPUBuffer;
      readonly k: GPUBuffer;
      readonly tail: Queries;
      /** Row of `tail` that is the tail's first. */
      readonly firstRow: number;
      readonly probabilities: GPUBuffer;
      readonly block: QueryBlock;
    }) => {
      const { layer, tailRow, row, rows } = args.block;
      const queryRow = args.firstRow + tailRow;
      const scale = 1 / Math.sqrt(headDim);
      return {
        buffers: [args.spans, args.k, args.tail.q, args.tail.lse, args.probabilities],
        params: { layer, heads, kvHeads, queryRow, row, rows, keys, scale },
        groups: [ceilGroups(paddedKeys(keys) / 4), Math.ceil(rows / 4), heads],
      };
    },
  );
}

/** Weighted sum or maximum of a block's probabilities over rows and the heads of a unit. */
export function compileFold(gpu: Gpu, { heads, reduction, keys }: TapShape) {
  const keysVec4 = paddedKeys(keys) / 4;
  const { code, enable, constants } = reductionCode(reduction, gpu);
  return compileCall(
    gpu,
    {
      label: `tap_fold ${reduction}`,
      code: [code, fold],
      enable,
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
      /** Rows of the block, half-open. */
      readonly firstRow: number;
      readonly endRow: number;
      readonly takes: "sum" | "max";
      readonly scale: number;
    }) => {
      const { layer, units, firstRow, endRow, scale } = args;
      const takesMax = args.takes === "max" ? 1 : 0;
      return {
        buffers: [args.probabilities, args.weights, args.folded],
        params: { layer, heads, units, keysVec4, firstRow, endRow, takesMax, scale },
        groups: unitGroups(reduction, keysVec4 * units),
      };
    },
  );
}

/** For each row and head 1 / its attention to the counted keys, or 0 if its gate is 0. */
export function compileRowMass(gpu: Gpu, { heads, reduction, keys }: TapShape) {
  const keysVec4 = paddedKeys(keys) / 4;
  const { code, enable, constants } = reductionCode(reduction, gpu);
  return compileCall(
    gpu,
    {
      label: `tap_row_mass ${reduction}`,
      code: [code, rowMass],
      enable,
      access: ["read", "read", "read", "write"],
      params: {
        heads: "u32",
        units: "u32",
        keysVec4: "u32",
        rows: "u32",
        tailRow: "u32",
        tailRows: "u32",
      },
      constants,
    },
    (args: {
      readonly probabilities: GPUBuffer;
      readonly counted: GPUBuffer;
      readonly gates: GPUBuffer;
      readonly factors: GPUBuffer;
      readonly units: number;
      readonly block: QueryBlock;
      readonly tailRows: number;
    }) => {
      const { units, tailRows } = args;
      const { rows, tailRow } = args.block;
      return {
        buffers: [args.probabilities, args.counted, args.gates, args.factors],
        params: { heads, units, keysVec4, rows, tailRow, tailRows },
        groups: unitGroups(reduction, rows * heads),
      };
    },
  );
}
