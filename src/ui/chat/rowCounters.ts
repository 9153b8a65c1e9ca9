import type { TurnResult } from "@/protocol/engine";

/**
 * The two counters beside every answer, summed over the layers: rows that the cache held when the
 * answer ended, and rows that a decoded token read on average.
 */
export function rowCounters({ layers, tokenIds }: Pick<TurnResult, "layers" | "tokenIds">): {
  readonly held: number;
  readonly readPerToken: number;
} {
  const compacted = layers.reduce((sum, { rowsAfter }) => sum + rowsAfter, 0);
  // The last id is never fed back, so it leaves no row; step t reads t rows of the answer.
  const appended = Math.max(0, tokenIds.length - 1);
  return {
    held: compacted + layers.length * appended,
    readPerToken: compacted + (layers.length * (appended + 1)) / 2,
  };
}
