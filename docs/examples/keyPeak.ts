import { headVectors, keyValuesOf } from "@/compression/taps/keyValues";
import type { RowScores, TapDefinition } from "@/compression/taps/tap";

/** The largest absolute component of each key: max_d |K_jd|. [L, G, N] */
export const keyPeak: TapDefinition<true, RowScores> = {
  examples: [true],
  reference(_, input) {
    const keyValues = keyValuesOf(input);
    const { kvHeads, rows } = keyValues;
    const peaks = Array.from({ length: input.layers * kvHeads }, (_, head) =>
      headVectors(keyValues.k, head, keyValues).map((key) => Math.max(...key.map(Math.abs))),
    );
    return { layers: input.layers, heads: kvHeads, rows, data: Float32Array.from(peaks.flat()) };
  },
};
