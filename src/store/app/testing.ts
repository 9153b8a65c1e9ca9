import type { TurnResult } from "@/protocol/result";
import type { CacheFiles } from "../chat/cacheFiles";

/** A finished turn for tests, with overrides. */
export function result(given: Partial<TurnResult> = {}): TurnResult {
  const rows = given.promptTokens ?? 100;
  return {
    answer: "An answer.",
    tokenIds: [1, 2],
    finish: "stop",
    promptTokens: rows,
    visualTokens: 0,
    appended: false,
    policy: "full",
    retention: 1,
    scope: "visual",
    layers: [{ rowsBefore: rows, rowsAfter: rows, kept: [] }],
    kvBytes: { before: 4, after: 4, peak: 4, end: 4, full: 4 },
    ms: {
      vision: 1,
      prefill: 2,
      score: 0,
      plan: 0,
      compact: 0,
      firstToken: 4,
      decodePerToken: { median: 10, p95: 12 },
    },
    images: [],
    notices: [],
    notes: {},
    ...given,
  };
}

/** A browser that keeps no caches. */
export const NO_CACHE_FILES: CacheFiles = {
  list: async () => [],
  read: async () => undefined,
  write: async () => {},
  remove: async () => {},
};
