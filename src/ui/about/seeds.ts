/** The three main methods with their formulas. */
export interface Seed {
  /** Policy id. */
  readonly id: string;
  readonly idea: string;
  /** Lines of notation. */
  readonly formula: readonly string[];
  /** How the authors' release differs from their paper, if there is one. */
  readonly release: string;
  /** What is done here where paper and release differ or are silent. */
  readonly here: string;
}

/** A[l, q, j] is the attention of query q to row j in layer l, mean over heads. */
export const SEEDS: readonly Seed[] = [
  {
    id: "aircache",
    idea:
      "The question's tokens score the visual tokens, but only the tokens that the last one attends " +
      "to most: the elite. A layer with strong and concentrated scores keeps more rows.",
    formula: [
      "E = { j : a[last, j] ≥ α · max a[last, ·] }   a: A over the question's tokens alone, α = 0.9",
      "I[v] = mean over q in E of A[q, v]   renormalised over the visual rows V and E",
      "share of layer l = ½ (strength[l] + skewness[l]) · keep   strength = Σ I[v], skewness of I",
      "keep all text and the visual rows with the largest I[v]; drop the others, merge nothing",
    ],
    release:
      "No code was released, and the paper does not specify how heads are combined, how the two measures " +
      "are scaled and how rows are rounded.",
    here:
      "Heads are averaged, both measures are scaled to a mean of 1 with negative skewness set to 0, " +
      "and rows are rounded so that all layers together meet the budget exactly.",
  },
  {
    id: "prefixkv",
    idea:
      "Every layer keeps the same share of its attention, not the same number of rows: a layer " +
      "that spreads its attention keeps many rows, one that attends to few tokens keeps few.",
    formula: [
      "I[l, j] = Σ over all queries q of A[l, q, j]",
      "C[l] = cumulative sum of I[l] / Σ I[l], in descending order",
      "rows of layer l = first i with C[l][i] ≥ p   one p for all layers, found by search",
      "keep the first row, the newest one and the rows with the largest I[l, j]",
      "while decoding, one row at a fixed place is evicted whenever a layer holds more than its share",
    ],
    release:
      "The released search stops within five rows over all layers, rescales the result and truncates " +
      "it, and does not terminate if the count skips its target. Its tables were made with " +
      "fractions averaged offline. The next token's position is the length of layer 0.",
    here:
      "The p that meets the budget is found exactly. Layer budgets “released” runs the authors' " +
      "search, “config” takes fractions that were averaged over sample pages, and positions " +
      "“layer0Length” count as they do.",
  },
  {
    id: "elastic",
    idea:
      "Dropped rows are merged: the most important rows are anchors, and each of the others " +
      "is averaged into the nearest anchor.",
    formula: [
      "I[l, j] = Σ over all queries q of A[l, q, j]",
      "keep the first row, the newest one and the anchors: the top rows of I[l], as many in every layer",
      "K, V of an anchor = mean over its bucket   buckets split half way between two anchors",
      "while decoding, the row 25 places before the compressed prompt's end is evicted to keep the share",
    ],
    release:
      "The released selection compares argsort's output with a rank, which is not the rank of the " +
      "scores; its evicted indices lack the sink's offset, and it keeps one row less than its target. " +
      "The next token's position is the length of layer 0.",
    here:
      "The paper's selection by default; “official” repeats the release, defects included, and " +
      "positions “layer0Length” count as it does.",
  },
];
