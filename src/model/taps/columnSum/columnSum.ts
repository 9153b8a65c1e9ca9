import type { RowScores } from "@/compression/taps/tap";
import type { Gpu } from "@/gpu/gpu";
import type { Queries } from "@/gpu/kernels/attention/queries";
import { compileCall } from "@/gpu/kernels/common/kernelCall";
import outer from "@/gpu/kernels/common/outer.wgsl?raw";
import type { Reduction } from "@/gpu/kernels/common/reduction";
import { kvCode } from "@/gpu/kernels/kv/kvCode";
import { readScores } from "../output";
import { ceilGroups, TAP_WORKGROUP } from "../shared/kernels";
import { paddedKeys, type TapKernels, type TapShape } from "../tap";
import io from "./column_sum_io.wgsl?raw";
import columnSum from "./tap_column_sum.wgsl?raw";
import columnSumTiled from "./tap_column_sum_tiled.wgsl?raw";
import sumPlanes from "./tap_sum_planes.wgsl?raw";

/** How a kernel divides the keys. */
interface Blocks {
  readonly label: string;
  readonly code: readonly string[];
  readonly workgroup: number;
  readonly keysPerGroup: number;
  /** Queries are split to reach about this many workgroups. */
  readonly wantedGroups: number;
}

/** For software adapters, where a barrier costs microseconds. */
const PLAIN: Blocks = {
  label: "tap_column_sum",
  code: [io, columnSum],
  workgroup: TAP_WORKGROUP,
  keysPerGroup: 4 * TAP_WORKGROUP,
  wantedGroups: 128,
};
const TILED: Blocks = {
  label: "tap_column_sum_tiled",
  code: [outer, io, columnSumTiled],
  workgroup: 128,
  keysPerGroup: 64,
  wantedGroups: 512,
};
const MOST_SPLITS = 16;

const blocksOf = (reduction: Reduction): Blocks => (reduction === "one" ? PLAIN : TILED);

/** Σ over all queries, chunk by chunk: a second pass over the keys with attention's log-sum-exp. */
export const columnSumTap: TapKernels<true, RowScores> = columnSums("columnSum", () => 1);

export const movingAverageTap: TapKernels<{ readonly decay: number }, RowScores> = columnSums(
  "movingAverage",
  ({ decay }) => decay,
);

/** Query row q counts (1 - decay) · decay^(last - q); with decay 1 every row counts 1. */
function columnSums<Spec>(
  name: string,
  decayOf: (spec: Spec) => number,
): TapKernels<Spec, RowScores> {
  return {
    during: "prefill",
    scoresCachedSpan: () => true,
    async prepare(gpu, shape, spec) {
      const [add, join] = await Promise.all([
        compileColumnSum(gpu, shape),
        compileSumPlanes(gpu, shape),
      ]);
      const decay = decayOf(spec);
      return (context) => {
        const { layers, kvHeads, rows } = context.geometry;
        const width = kvHeads * context.geometry.paddedKeys;
        const { keysPerGroup, wantedGroups } = blocksOf(shape.reduction);
        const groups = Math.ceil(context.geometry.keys / keysPerGroup) * kvHeads;
        const splits = Math.min(MOST_SPLITS, Math.max(1, Math.ceil(wantedGroups / groups)));
        const planes = context.scratch.numbers(`${name} planes`, splits * layers * width);
        const sums = context.scratch.numbers(name, layers * width);
        const weighting = { lastRow: rows - 1, decay, factor: decay === 1 ? 1 : 1 - decay };
        return {
          chunk: (recorder, chunk) => add(recorder, { ...chunk, planes, splits, weighting }),
          end: (recorder) => join(recorder, { planes, sums, layers, splits }),
          outputs: [sums],
          take: ([bytes]) => readScores(context, bytes, { name, heads: kvHeads }),
        };
      };
    },
  };
}

/** Query row q has the weight factor · decay^(lastRow - q). */
interface Weighting {
  readonly lastRow: number;
  readonly decay: number;
  readonly factor: number;
}

function compileColumnSum(gpu: Gpu, shape: TapShape) {
  const { heads, kvHeads, headDim, kvType, keys } = shape;
  const { label, code, workgroup, keysPerGroup } = blocksOf(shape.reduction);
  const scale = 1 / Math.sqrt(headDim);
  const kv = kvCode(kvType, headDim, { read: ["cache"] });
  return compileCall(
    gpu,
    {
      label,
      code: [...kv.code, ...code],
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
      constants: { WORKGROUP: workgroup, ...kv.constants },
    },
    (args: {
      readonly spans: GPUBuffer;
      readonly k: GPUBuffer;
      readonly queries: Queries;
      readonly planes: GPUBuffer;
      readonly layer: number;
      readonly firstRow: number;
      readonly rows: number;
      readonly splits: number;
      readonly weighting: Weighting;
    }) => {
      const { layer, firstRow, rows, splits, queries } = args;
      const { lastRow, decay, factor } = args.weighting;
      const log2Decay = Math.max(Math.log2(decay), -1e30);
      const weighting = { lastRow, log2Decay, factor };
      return {
        buffers: [args.spans, args.k, queries.q, queries.lse, args.planes],
        params: { layer, heads, kvHeads, firstRow, rows, keys, splits, scale, ...weighting },
        groups: [Math.ceil(keys / keysPerGroup), kvHeads, splits],
      };
    },
  );
}

function compileSumPlanes(gpu: Gpu, { kvHeads, keys }: TapShape) {
  const width = (kvHeads * paddedKeys(keys)) / 4;
  return compileCall(
    gpu,
    {
      label: "tap_sum_planes",
      code: [sumPlanes],
      access: ["read", "write"],
      params: { splits: "u32", width: "u32" },
      constants: { WORKGROUP: TAP_WORKGROUP },
    },
    (args: {
      readonly planes: GPUBuffer;
      readonly sums: GPUBuffer;
      readonly layers: number;
      readonly splits: number;
    }) => ({
      buffers: [args.planes, args.sums],
      params: { splits: args.splits, width },
      groups: [ceilGroups(width), args.layers],
    }),
  );
}
