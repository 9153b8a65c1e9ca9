import type { TurnResult } from "@/protocol/result";

/**
 * The two counters beside every answer, summed over the layers: rows in the cache when the
 * answer ended, and rows that a decoded token read on average.
 */
export function rowCounters({ layers, tokenIds }: Pick<TurnResult, "layers" | "tokenIds">): {
  readonly cached: number;
  readonly readPerToken: number;
} {
  const steps = tokenIds.length;
  let cached = 0;
  let readPerToken = 0;
  for (const { rowsAfter, rowsEnd = rowsAfter + steps } of layers) {
    cached += rowsEnd;
    // A step reads its own row too; the cache grows evenly, or stays at its size.
    const grown = steps > 0 ? ((rowsEnd - rowsAfter) * (steps - 1)) / (2 * steps) : 0;
    readPerToken += rowsAfter + 1 + grown;
  }
  return { cached, readPerToken };
}
