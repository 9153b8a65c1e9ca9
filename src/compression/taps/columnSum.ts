import { foldQueries, meanOfRows } from "./fold";
import type { RowScores, TapDefinition } from "./tap";

/** Attention received: Σ over all queries q of A[l,h,q,j], mean over the group. [L, G, N] */
export const columnSum: TapDefinition<true, RowScores> = {
  examples: [true],
  reference: (_, input) => foldQueries(input, 0, meanOfRows(1)),
};
