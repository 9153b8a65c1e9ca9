import type { RowScores } from "@/compression/taps/tap";
import { readScores, scoreBuffer } from "../output";
import { compileFold } from "../shared/kernels";
import type { TapKernels } from "../tap";

export const lastRowTap: TapKernels<true, RowScores> = {
  tailRows: () => 1,
  scoresCachedSpan: () => true,
  async prepare(gpu, shape) {
    const fold = await compileFold(gpu, shape);
    return (context) => {
      const { heads, kvHeads: units } = shape;
      const folded = scoreBuffer(context, "last row", units);
      return {
        block(recorder, { layer, rows }, { probabilities, ones }) {
          const span = { firstRow: 0, endRow: rows, scale: units / heads } as const;
          fold(recorder, {
            probabilities,
            weights: ones,
            folded,
            layer,
            units,
            takes: "sum",
            ...span,
          });
        },
        outputs: [folded],
        take: ([bytes]) => readScores(context, bytes, { name: "lastRow", heads: units }),
      };
    };
  },
};
