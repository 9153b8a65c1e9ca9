/** The three methods that this page was built around, told in their own formulas. */
export interface Seed {
  /** Policy id. */
  readonly id: string;
  readonly idea: string;
  /** Lines of notation, one thought each. */
  readonly formula: readonly string[];
  /** What the authors' release does, where it differs from their paper or is not there. */
  readonly release: string;
}

export const SEEDS: readonly Seed[] = [
  {
    id: "aircache",
    idea:
      "The words of the question vote on the visual tokens, but only the words that the last one " +
      "listens to: the elite. A layer whose votes are strong and concentrated keeps more rows.",
    formula: [
      "E = { j : a[last, j] ≥ 0.9 · max a[last, ·] }   over the question's words",
      "I[v] = mean over q in E of A[q, v]   renormalised over V ∪ E",
      "rows of layer l ∝ ½ (strength[l] + skewness[l]) · r   strength = Σ I, skewness of I",
      "keep the visual rows with the largest I[v]; drop the others, merge nothing",
    ],
    release:
      "No code was released. Normalisation and rounding of the budgets are chosen here, so that " +
      "the rows of all layers add up to the budget exactly.",
  },
  {
    id: "prefixkv",
    idea:
      "Every layer keeps the same share of its attention, not the same number of rows: a layer " +
      "that spreads its attention keeps a long cache, one that looks at few tokens a short one.",
    formula: [
      "I[l, j] = Σ over all queries q of A[l, q, j]   mean over heads",
      "C[l] = cumulative sum of I[l] / Σ I[l], sorted downwards",
      "rows of layer l = first i with C[l][i] ≥ p   one p for all layers, found by search",
      "keep the first token, the newest one and the rows with the largest I[l, j]",
    ],
    release:
      "The released search accepts a result within five tokens, rescales it, and never ends when " +
      "the count jumps over its target; the released evaluation reads ratios averaged offline.",
  },
  {
    id: "elastic",
    idea:
      "Rows that leave are not lost: the most important rows are anchors, and each of the others " +
      "is averaged into the anchor beside it.",
    formula: [
      "I[l, j] = Σ over all queries q of A[l, q, j]   mean over heads",
      "anchors = the top rows of I[l]   the same number in every layer",
      "K, V of an anchor = mean over its bucket   split half way between two anchors",
    ],
    release:
      "The released selection compares argsort's output with a rank, which is not the rank of the " +
      "scores, and its evicted indices lack the sink offset. Both readings are options here.",
  },
];
