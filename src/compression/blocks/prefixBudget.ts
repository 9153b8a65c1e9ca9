import { sumOf } from "./budget";
import { topPlaces } from "./select";

/**
 * PrefixKV, exact: every layer keeps the same share of its attention mass.
 *
 * Each layer's scores in descending order give normalised prefix sums. The `total` smallest prefix
 * sums over all layers form a prefix in each layer, whose length is the layer's budget. Sorting
 * replaces the release's bisection of a threshold. `floor` rows per layer are taken first.
 */
export function prefixBudget(
  scores: readonly Float64Array[],
  total: number,
  floor: number,
): number[] {
  const layers = scores.length;
  const rest = scores[0]!.length - floor;
  // Entry i of layer l has index i * layers + l, so ties go to the shorter prefix.
  const negated = new Float64Array(rest * layers);
  scores.forEach((layerScores, layer) => {
    const sums = prefixSums(layerScores);
    for (let i = 0; i < rest; i++) negated[i * layers + layer] = -sums[floor + i]!;
  });
  const budgets = scores.map(() => floor);
  for (const entry of topPlaces(negated, total - floor * layers)) budgets[entry % layers]! += 1;
  return budgets;
}

/** Cumulative sums of the scores, largest first, divided by their total. */
function prefixSums(scores: Float64Array): Float64Array {
  const mass = scores.reduce((sum, score) => sum + score, 0) || 1;
  const sums = scores.toSorted().reverse();
  let prefix = 0;
  for (let i = 0; i < sums.length; i++) {
    prefix += sums[i]! / mass;
    sums[i] = prefix;
  }
  return sums;
}

export interface ReleasedSearch {
  /** Rows to forget per layer, before the rescale. */
  readonly counts: readonly number[];
  /** The threshold at which the search stopped. */
  readonly threshold: number;
  readonly iterations: number;
  /** Rows to forget per layer: `counts` rescaled to the target and truncated. */
  readonly forget: readonly number[];
}

/** The release's bisection has no iteration limit; after 60 halvings a double has no bits left. */
const MAX_ITERATIONS = 60;
/** The release stops when the total over all layers is within this many rows of its target. */
const SEARCH_TOLERANCE = 5;

/**
 * PrefixKV as released: bisects the attention share p at which the forgotten rows reach `target`
 * within five, then rescales and truncates. `protect` rows per layer are never counted.
 * https://github.com/THU-MIG/PrefixKV (prefixkv.py)
 */
export function releasedPrefixSearch(
  scores: readonly Float64Array[],
  target: number,
  protect: number,
): ReleasedSearch {
  const prefixes = scores.map(prefixSums);
  const countsAt = (threshold: number) =>
    prefixes.map((prefix) => {
      const found = prefix.findIndex((value) => value >= threshold);
      const kept = (found === -1 ? prefix.length : found) + 1;
      return Math.max(0, prefix.length - kept - protect);
    });
  let low = 0;
  let high = 1;
  let threshold = 0;
  let iterations = 0;
  while (low < high && iterations < MAX_ITERATIONS) {
    iterations++;
    threshold = (low + high) / 2;
    const count = sumOf(countsAt(threshold));
    if (Math.abs(count - target) < SEARCH_TOLERANCE) break;
    if (count < target) high = threshold;
    else low = threshold;
  }
  const counts = countsAt(threshold);
  const total = sumOf(counts);
  // An unreachable target would be rescaled to more rows than a layer has.
  const spare = Math.abs(total - target) < SEARCH_TOLERANCE ? 0 : 1;
  const forget = counts.map((count, layer) => {
    const scaled = total > 0 ? Math.trunc((count * target) / total) : 0;
    return Math.max(0, Math.min(scaled, prefixes[layer]!.length - spare - protect));
  });
  return { counts, threshold, iterations, forget };
}
