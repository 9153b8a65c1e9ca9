import type { TurnResult } from "@/protocol/result";

/**
 * The two counters beside every answer, summed over the layers: rows that the cache held when the
 * answer ended, and rows that a decoded token read on average.
 */
export function rowCounters({ layers, tokenIds }: Pick<TurnResult, "layers" | "tokenIds">): {
  readonly held: number;
  readonly readPerToken: number;
} {
  const steps = tokenIds.length;
  let held = 0;
  let readPerToken = 0;
  for (const { rowsAfter, rowsEnd = rowsAfter + steps } of layers) {
    held += rowsEnd;
    // A step reads its own row too; the cache grows evenly, or is held at its size.
    const grown = steps > 0 ? ((rowsEnd - rowsAfter) * (steps - 1)) / (2 * steps) : 0;
    readPerToken += rowsAfter + 1 + grown;
  }
  return { held, readPerToken };
}
