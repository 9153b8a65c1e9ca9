import { cosine, unitRows } from "../../blocks/cosine";
import { needVision, visionPolicy } from "../../visionPolicy";

/**
 * DivPrune: keeps the visual rows that differ most from one another, before the prefill.
 *
 * Max-min diversity over d(i, j) = 1 − cos(F_i, F_j), F [V, D] the features: the first row has the most
 * distant nearest neighbour, and each next one is argmax_i min_{j kept} d(i, j).
 *
 * https://arxiv.org/abs/2503.02175, release https://github.com/vbdi/divprune. Needs no attention. V² · D / 2
 * products on the CPU.
 */
export const divPrune = visionPolicy({
  id: "divprune",
  label: "DivPrune",
  summary: "Keeps the image rows that differ most from one another, before the prefill.",
  paper: {
    title: "DivPrune: Diversity-based Visual Token Pruning for Large Multimodal Models",
    venue: "CVPR 2025",
    url: "https://arxiv.org/abs/2503.02175",
  },
  release: "https://github.com/vbdi/divprune",
  options: {},
  beforePrefill: ["features"],
  choose(input, count) {
    const { data, width } = needVision(input, "features");
    return { keep: mostDiverse(data, width, count) };
  },
});

/** Rows of f32 [rows, width], ascending; ties go to the lowest row. */
export function mostDiverse(data: Float32Array, width: number, count: number): readonly number[] {
  const unit = unitRows(data, width);
  const rows = data.length / width;
  const distance = (a: number, b: number) => 1 - cosine(unit, width, a, b);
  // Of every row to its nearest: first among all rows, then among the kept ones.
  let nearest = new Float64Array(rows).fill(Number.POSITIVE_INFINITY);
  for (let a = 0; a < rows; a++) {
    for (let b = 0; b < a; b++) {
      const between = distance(a, b);
      nearest[a] = Math.min(nearest[a] as number, between);
      nearest[b] = Math.min(nearest[b] as number, between);
    }
  }
  const kept: number[] = [];
  while (kept.length < Math.min(count, rows)) {
    const next = nearest.indexOf(Math.max(...nearest));
    if (kept.length === 0) nearest = new Float64Array(rows).fill(Number.POSITIVE_INFINITY);
    kept.push(next);
    for (let row = 0; row < rows; row++) {
      nearest[row] = Math.min(nearest[row] as number, distance(row, next));
    }
    for (const row of kept) nearest[row] = Number.NEGATIVE_INFINITY;
  }
  return kept.sort((a, b) => a - b);
}
