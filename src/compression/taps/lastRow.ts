import { foldQueries, meanOfRows } from "./fold";
import type { RowScores, TapDefinition } from "./tap";

/** A[l,h,N-1,j], mean over the group. [L, G, N] */
export const lastRow: TapDefinition<true, RowScores> = {
  examples: [true],
  reference: (_, input) => foldQueries(input, input.rows - 1, meanOfRows(1)),
};
