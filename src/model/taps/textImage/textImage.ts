import { spanMask } from "@/compression/taps/prompt";
import type { TextImage } from "@/compression/taps/textImage";
import type { Gpu } from "@/gpu/gpu";
import { compileCall } from "@/gpu/kernels/common/kernelCall";
import { checkFinite, readScores, scoreBuffer } from "../output";
import { ceilGroups, compileFold, TAP_WORKGROUP } from "../shared/kernels";
import { paddedKeys, type QueryBlock, type TapKernels, type TapShape } from "../tap";
import textWeights from "./tap_text_weights.wgsl?raw";

export const textImageTap: TapKernels<true, TextImage> = {
  tailRows: (_, { rows, textStart }) => rows - textStart,
  async prepare(gpu, shape) {
    const [fold, weigh] = await Promise.all([
      compileFold(gpu, shape),
      compileTextWeights(gpu, shape),
    ]);
    return (context) => {
      const { geometry, prompt, scratch, ownRows: textRows } = context;
      const { layers, heads, rows, keys, blockRows } = geometry;
      const sums = scoreBuffer(context, "text sums", 1);
      const scores = scoreBuffer(context, "visual scores", 1);
      const weights = scratch.numbers("text weights", blockRows * heads);
      const visual = spanMask(keys, prompt.visual);
      return {
        block(recorder, block, { probabilities, ones }) {
          const { layer, rows: endRow } = block;
          const all = { units: 1, takes: "sum", firstRow: 0, endRow, scale: 1 / heads } as const;
          fold(recorder, { ...all, layer, probabilities, weights: ones, folded: sums });
          weigh(recorder, { sums, weights, block, promptRows: rows });
          fold(recorder, { ...all, layer, probabilities, weights, folded: scores });
        },
        outputs: [sums, scores],
        take([sumBytes, scoreBytes]) {
          const { data: sum } = readScores(context, sumBytes, { name: "textImage", heads: 1 });
          const visualScore = readScores(context, scoreBytes, { name: "textImage", heads: 1 });
          const visualShare = new Float32Array(layers);
          for (let i = 0; i < layers * keys; i++) {
            const isVisual = visual[i % keys] as number;
            visualShare[Math.floor(i / keys)]! += isVisual * sum[i]!;
            visualScore.data[i]! *= isVisual;
          }
          const data = new Float32Array(layers * textRows);
          for (let i = 0; i < data.length; i++) {
            const [layer, text] = [Math.floor(i / textRows), i % textRows];
            data[i] = sum[layer * keys + rows - textRows + text]! / (textRows - text);
          }
          checkFinite("textImage", data, layers);
          return {
            visualShare,
            textWeight: { layers, heads: 1, rows: textRows, data },
            visualScore,
          };
        },
      };
    };
  },
};

function compileTextWeights(gpu: Gpu, { heads, keys }: TapShape) {
  return compileCall(
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
      constants: { WORKGROUP: TAP_WORKGROUP },
    },
    (args: {
      readonly sums: GPUBuffer;
      readonly weights: GPUBuffer;
      readonly block: QueryBlock;
      readonly promptRows: number;
    }) => {
      const { layer, rows, row } = args.block;
      return {
        buffers: [args.sums, args.weights],
        params: { layer, heads, keys: paddedKeys(keys), rows, row, promptRows: args.promptRows },
        groups: [ceilGroups(rows * heads)],
      };
    },
  );
}
