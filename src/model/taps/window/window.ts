import { observationRows, spanMask } from "@/compression/taps/prompt";
import type { RowScores } from "@/compression/taps/tap";
import type { WindowSpec } from "@/compression/taps/window";
import type { Gpu } from "@/gpu/gpu";
import { compileCall } from "@/gpu/kernels/common/kernelCall";
import type { Recorder } from "@/gpu/recorder";
import { readScores, scoreBuffer } from "../output";
import { ceilGroups, compileFold, compileRowMass, TAP_WORKGROUP } from "../shared/kernels";
import {
  paddedKeys,
  type QueryBlock,
  type TapContext,
  type TapKernels,
  type TapShape,
} from "../tap";
import pooledMax from "./tap_pooled_max.wgsl?raw";

export const windowTap: TapKernels<WindowSpec, RowScores> = {
  tailRows: ({ rows }, prompt) => observationRows(prompt, rows),
  scoresCachedSpan: ({ aggregate }) => aggregate !== "defensive",
  async prepare(gpu, shape, { aggregate, kernel }) {
    const { heads, kvHeads: units } = shape;
    const fold = await compileFold(gpu, shape);
    const pooling = aggregate === "defensive" ? await defensive(gpu, shape, kernel) : undefined;
    return (context) => {
      const folded = scoreBuffer(context, "window", units);
      const pool = pooling?.(context, folded);
      const takes = aggregate === "max" ? "max" : "sum";
      const scale = units / heads / context.ownRows;
      return {
        block(recorder, block, { probabilities, ones }) {
          if (pool) return pool(recorder, block, probabilities);
          const { layer, rows } = block;
          const args = {
            probabilities,
            weights: ones,
            folded,
            layer,
            units,
            takes,
            scale,
          } as const;
          fold(recorder, { ...args, firstRow: 0, endRow: rows });
        },
        outputs: [folded],
        take: ([bytes]) => readScores(context, bytes, { name: "window", heads: units }),
      };
    };
  },
};

/** DefensiveKV: rows are pooled over the keys before the window and keep their mass there. */
async function defensive(gpu: Gpu, shape: TapShape, kernelSize: number) {
  const [rowMass, max] = await Promise.all([
    compileRowMass(gpu, shape),
    compilePooledMax(gpu, shape),
  ]);
  return ({ geometry, ownRows, scratch }: TapContext, largest: GPUBuffer) => {
    const { rows, heads, tailRows, blockRows } = geometry;
    const pooledKeys = rows - ownRows;
    const half = Math.floor(kernelSize / 2);
    const own = spanMask(geometry.paddedKeys, [{ start: 0, end: pooledKeys }]);
    // Weight of a key in the pooled row: smaller at the ends, where the kernel extends beyond the
    // keys.
    const shares = own.map((isPooled, key) => {
      const first = Math.max(0, key + half - kernelSize + 1);
      const last = Math.min(pooledKeys - 1, key + half);
      return isPooled * (Math.max(0, last - first + 1) / kernelSize);
    });
    const counted = scratch.upload("own", own);
    const pooledShares = scratch.upload("pooled", shares);
    const gates = scratch.upload("gates", new Float32Array(tailRows).fill(1));
    const perMass = scratch.numbers("per mass", blockRows * heads);
    const perPooled = scratch.numbers("per pooled", blockRows * heads);
    return (recorder: Recorder, block: QueryBlock, probabilities: GPUBuffer): void => {
      const args = { probabilities, gates, units: 1, block, tailRows };
      rowMass(recorder, { ...args, counted, factors: perMass });
      rowMass(recorder, { ...args, counted: pooledShares, factors: perPooled });
      const masses = { probabilities, perMass, perPooled, largest, block };
      max(recorder, { ...masses, pooledKeys, kernelSize });
    };
  };
}

function compilePooledMax(gpu: Gpu, { heads, kvHeads, keys }: TapShape) {
  return compileCall(
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
      constants: { WORKGROUP: TAP_WORKGROUP },
    },
    (args: {
      readonly probabilities: GPUBuffer;
      readonly perMass: GPUBuffer;
      readonly perPooled: GPUBuffer;
      readonly largest: GPUBuffer;
      readonly block: QueryBlock;
      readonly pooledKeys: number;
      readonly kernelSize: number;
    }) => ({
      buffers: [args.probabilities, args.perMass, args.perPooled, args.largest],
      params: {
        layer: args.block.layer,
        heads,
        kvHeads,
        keys: paddedKeys(keys),
        pooledKeys: args.pooledKeys,
        firstRow: 0,
        endRow: args.block.rows,
        kernelSize: args.kernelSize,
      },
      groups: [ceilGroups(args.pooledKeys), kvHeads],
    }),
  );
}
