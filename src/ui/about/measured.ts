/** Right answers of one policy, out of {@link ACCURACY}.questions, at each of its retentions. */
interface PolicyAccuracy {
  readonly policy: string;
  readonly right: readonly [number, number, number];
}

/**
 * How many questions the embedded model answers exactly, by policy and retention: one prefill per question, shared by all
 * policies, and a full cache beside them (`npm run eval`; docs/log/accuracy.md). Policies in the order of their right
 * answers at the middle retention.
 */
export const ACCURACY = {
  questions: 300,
  pages: 60,
  /** With the full cache. */
  full: 297,
  retentions: [0.5, 0.2, 0.1],
  policies: [
    { policy: "snapkv", right: [281, 268, 262] },
    { policy: "tgvkv", right: [273, 251, 225] },
    { policy: "aircache", right: [247, 216, 199] },
    { policy: "prefixkv", right: [257, 190, 154] },
    { policy: "h2o", right: [218, 162, 142] },
    { policy: "elastic", right: [225, 152, 123] },
    { policy: "random", right: [195, 133, 115] },
    { policy: "uniform", right: [179, 132, 124] },
    { policy: "streaming", right: [177, 118, 107] },
  ] satisfies readonly PolicyAccuracy[],
} as const;
