/** Right answers of one policy, out of {@link ACCURACY}.questions, at each of its retentions. */
interface PolicyAccuracy {
  readonly policy: string;
  readonly right: readonly [number, number, number];
}

/**
 * How many questions the embedded model answers exactly, by policy and retention: the policies start from forks of one
 * prefill, with a full cache beside them (`npm run eval`; docs/log/accuracy.md). Policies in the order of their right
 * answers at the middle retention.
 */
export const ACCURACY = {
  questions: 300,
  pages: 60,
  /** With the full cache. */
  full: 297,
  retentions: [0.5, 0.2, 0.1],
  policies: [
    { policy: "snapkv", right: [280, 269, 257] },
    { policy: "tgvkv", right: [272, 245, 222] },
    { policy: "aircache", right: [247, 227, 207] },
    { policy: "prefixkv", right: [254, 180, 156] },
    { policy: "h2o", right: [221, 157, 140] },
    { policy: "elastic", right: [220, 148, 121] },
    { policy: "random", right: [196, 135, 114] },
    { policy: "uniform", right: [181, 132, 124] },
    { policy: "streaming", right: [179, 119, 107] },
  ] satisfies readonly PolicyAccuracy[],
} as const;
