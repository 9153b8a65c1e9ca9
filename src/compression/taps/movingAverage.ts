import { foldQueries, meanOfRows } from "./fold";
import type { RowScores, TapDefinition } from "./tap";

/** Σ over all queries q of (1 - decay) · decay^(N-1-q) · A[l,h,q,j], mean over the group. [L, G, N] */
export const movingAverage: TapDefinition<{ readonly decay: number }, RowScores> = {
  examples: [{ decay: 0.95 }],
  reference({ decay }, input) {
    const weight = (query: number) => (1 - decay) * decay ** (input.rows - 1 - query);
    return foldQueries(input, 0, (out, rows, query) => meanOfRows(weight(query))(out, rows));
  },
};
