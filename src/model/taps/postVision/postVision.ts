import type { PostVision } from "@/compression/taps/postVision";
import type { Gpu } from "@/gpu/gpu";
import { compileCall } from "@/gpu/kernels/common/kernelCall";
import { reductionCode, unitGroups } from "@/gpu/kernels/common/reduction";
import { readScores, scoreBuffer } from "../output";
import { ceilGroups, compileFold, TAP_WORKGROUP } from "../shared/kernels";
import { paddedKeys, type QueryBlock, type TapKernels, type TapShape } from "../tap";
import rowStrong from "./tap_row_strong.wgsl?raw";
import sumRows from "./tap_sum_rows.wgsl?raw";

export const postVisionTap: TapKernels<{ readonly threshold: number }, PostVision> = {
  tailRows: (_, { rows, textStart }) => rows - textStart,
  async prepare(gpu, shape, { threshold }) {
    const [fold, countStrong, sum] = await Promise.all([
      compileFold(gpu, shape),
      compileRowStrong(gpu, shape),
      compileSumRows(gpu, shape),
    ]);
    return (context) => {
      const { geometry, ownRows, scratch } = context;
      const { layers, heads, kvHeads: units, rows, blockRows } = geometry;
      const folded = scoreBuffer(context, "post vision", units);
      const strong = scratch.numbers("strong", blockRows * heads);
      const sums = scratch.numbers("strong entries", layers * heads);
      return {
        block(recorder, block, { probabilities, ones, spans }) {
          const { layer, rows: endRow } = block;
          const args = {
            probabilities,
            weights: ones,
            folded,
            layer,
            units,
            takes: "sum",
          } as const;
          fold(recorder, { ...args, firstRow: 0, endRow, scale: units / heads });
          countStrong(recorder, { spans, probabilities, strong, block, threshold });
          sum(recorder, { counts: strong, sums, layer, rows: endRow });
        },
        outputs: [folded, sums],
        take([bytes, counts]) {
          const found = new Uint32Array(counts as ArrayBuffer);
          let entries = 0;
          for (let row = rows - ownRows; row < rows; row++) entries += row + 1;
          const sparsity = Float32Array.from({ length: layers }, (_, layer) => {
            const reached = found.subarray(layer * heads, (layer + 1) * heads);
            const total = reached.reduce((all, count) => all + count, 0);
            return entries > 0 ? 1 - total / (entries * heads) : 0;
          });
          return {
            sum: readScores(context, bytes, { name: "postVision", heads: units }),
            sparsity,
          };
        },
      };
    };
  },
};

function compileRowStrong(gpu: Gpu, { heads, kvHeads, keys, reduction }: TapShape) {
  const { code, enable, constants } = reductionCode(reduction, gpu);
  const keysVec4 = paddedKeys(keys) / 4;
  return compileCall(
    gpu,
    {
      label: `tap_row_strong ${reduction}`,
      code: [code, rowStrong],
      enable,
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
      constants,
    },
    (args: {
      readonly spans: GPUBuffer;
      readonly probabilities: GPUBuffer;
      readonly strong: GPUBuffer;
      readonly block: QueryBlock;
      readonly threshold: number;
    }) => {
      const { layer, rows, row } = args.block;
      return {
        buffers: [args.spans, args.probabilities, args.strong],
        params: { layer, heads, kvHeads, keysVec4, rows, row, threshold: args.threshold },
        groups: unitGroups(reduction, rows * heads),
      };
    },
  );
}

function compileSumRows(gpu: Gpu, { heads }: TapShape) {
  return compileCall(
    gpu,
    {
      label: "tap_sum_rows",
      code: [sumRows],
      access: ["read", "write"],
      params: { layer: "u32", heads: "u32", rows: "u32" },
      constants: { WORKGROUP: TAP_WORKGROUP },
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
  );
}
