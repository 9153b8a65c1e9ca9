/** How many rows each layer keeps. All arithmetic is IEEE double; every total is exact. */

/** Rounds to the nearest integer, halves to the even one (numpy's `rint`). */
export function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** Rows of C to keep over all layers: max(L, round(retention · |C| · L)), at most |C| · L. */
export function rowBudget(retention: number, candidates: number, layers: number): number {
  if (candidates === 0) return 0;
  const rounded = roundHalfEven(retention * candidates * layers);
  return Math.min(candidates * layers, Math.max(layers, rounded));
}

/** The share that a release calls `ratio`: 1 - retention, free of the subtraction's last bits. */
export function evictedShare(retention: number): number {
  return Number((1 - retention).toFixed(12));
}

/** Rows that the Elastic Cache release forgets of `rows`: int(N - N (1 - ratio)). */
export function releasedForget(rows: number, retention: number): number {
  return Math.trunc(rows - rows * (1 - evictedShare(retention)));
}

/** Splits `total` evenly; the remainder goes to the first layers, one row each. */
export function uniformBudget(total: number, layers: number): number[] {
  const base = Math.floor(total / layers);
  return Array.from(
    { length: layers },
    (_, layer) => base + (layer < total - base * layers ? 1 : 0),
  );
}

/**
 * Splits `total` in proportion to `weights`, with every layer within [floor, cap] and an exact sum.
 *
 * Layers above the cap are fixed at the cap; if there are none, layers below the floor are fixed at
 * the floor. The rest is split again. Fractions are rounded by largest remainder, ties to lower
 * layers.
 */
export function waterfill(
  weights: readonly number[],
  total: number,
  { floor, cap }: { readonly floor: number; readonly cap: number },
): number[] {
  const rows = new Array<number>(weights.length).fill(-1);
  for (;;) {
    const free = weights.flatMap((_, layer) => (rows[layer] === -1 ? [layer] : []));
    const left = total - rows.reduce((sum, value) => sum + Math.max(0, value), 0);
    const shares = proportional(
      free.map((layer) => weights[layer]!),
      left,
    );
    const over = free.filter((_, i) => shares[i]! > cap);
    const under = free.filter((_, i) => shares[i]! < floor);
    if (over.length > 0) for (const layer of over) rows[layer] = cap;
    else if (under.length > 0) for (const layer of under) rows[layer] = floor;
    else {
      largestRemainder(shares, left).forEach((value, i) => {
        rows[free[i]!] = value;
      });
      return settle(rows, total, { floor, cap });
    }
  }
}

function proportional(weights: readonly number[], total: number): number[] {
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => (sum > 0 ? (weight / sum) * total : total / weights.length));
}

/** Integers with the sum `total` (an integer) nearest to `shares`. */
export function largestRemainder(shares: readonly number[], total: number): number[] {
  const rows = shares.map((share) => Math.floor(share + 1e-12));
  const order = shares
    .map((share, layer) => ({ rest: share - rows[layer]!, layer }))
    .sort((a, b) => b.rest - a.rest || a.layer - b.layer);
  let left = total - rows.reduce((a, b) => a + b, 0);
  for (let i = 0; left > 0 && order.length > 0; i++, left--) {
    rows[order[i % order.length]!.layer]! += 1;
  }
  return rows;
}

/**
 * Fixing bounds one after the other can miss the total: move single rows, fullest or emptiest layer
 * first.
 */
function settle(
  rows: number[],
  total: number,
  { floor, cap }: { readonly floor: number; readonly cap: number },
): number[] {
  let excess = rows.reduce((a, b) => a + b, 0) - total;
  while (excess !== 0) {
    const sign = Math.sign(excess);
    const target = rows.reduce(
      (best, value, layer) => (sign * (value - rows[best]!) > 0 ? layer : best),
      0,
    );
    const moved = rows[target]! - sign;
    if (moved < floor || moved > cap) throw new RangeError(`${total} rows do not fit the layers`);
    rows[target] = moved;
    excess -= sign;
  }
  return rows;
}

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
  const prefixes = new Float64Array(rest * layers);
  scores.forEach((layerScores, layer) => {
    const sums = prefixSums(layerScores);
    for (let i = 0; i < rest; i++) prefixes[i * layers + layer] = sums[floor + i]!;
  });
  const order = Uint32Array.from(prefixes.keys());
  order.sort((a, b) => prefixes[a]! - prefixes[b]! || a - b);
  const budgets = scores.map(() => floor);
  for (const entry of order.subarray(0, total - floor * layers)) budgets[entry % layers]! += 1;
  return budgets;
}

/** Cumulative sums of the scores, largest first, divided by their total. */
function prefixSums(scores: Float64Array): number[] {
  const mass = scores.reduce((sum, score) => sum + score, 0) || 1;
  let prefix = 0;
  return Array.from(scores.toSorted().reverse(), (score) => {
    prefix += score / mass;
    return prefix;
  });
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
    const count = sum(countsAt(threshold));
    if (Math.abs(count - target) < SEARCH_TOLERANCE) break;
    if (count < target) high = threshold;
    else low = threshold;
  }
  const counts = countsAt(threshold);
  const total = sum(counts);
  // An unreachable target would be rescaled to more rows than a layer has.
  const spare = Math.abs(total - target) < SEARCH_TOLERANCE ? 0 : 1;
  const forget = counts.map((count, layer) => {
    const scaled = total > 0 ? Math.trunc((count * target) / total) : 0;
    return Math.max(0, Math.min(scaled, prefixes[layer]!.length - spare - protect));
  });
  return { counts, threshold, iterations, forget };
}

/**
 * Rows per layer that decrease linearly with the given mean: mean / beta in the last layer, 2 ·
 * mean - mean / beta in the first. If the first exceeds `cap`, it is set to `cap`, and the last is
 * raised to keep the mean.
 */
export function pyramidShares(layers: number, mean: number, beta: number, cap: number): number[] {
  let last = mean / beta;
  let first = 2 * mean - last;
  if (first >= cap) {
    first = cap;
    last = 2 * mean - first;
  }
  const slope = layers > 1 ? (first - last) / (layers - 1) : 0;
  return Array.from({ length: layers }, (_, layer) => (layers > 1 ? first - layer * slope : mean));
}

/**
 * Rows per layer of kvpress's PyramidKV, window included. Its total differs from the ratio by
 * rounding, and it falls back to a uniform count if the pyramid would give a layer less than its
 * window. https://github.com/NVIDIA/kvpress (kvpress/presses/pyramidkv_press.py)
 */
export function kvpressPyramid(shape: {
  readonly rows: number;
  readonly layers: number;
  readonly retention: number;
  readonly window: number;
  readonly beta: number;
}): number[] {
  const { rows, layers, retention, window, beta } = shape;
  const capacity = window + rows * retention - window;
  let last = capacity / beta;
  let first = capacity * 2 - last;
  if (first >= rows - window) {
    first = rows - window;
    last = capacity * 2 - first;
  }
  const fits = rows >= first && first >= last && last >= window;
  const slope = (first - last) / Math.max(1, layers - 1);
  return Array.from({ length: layers }, (_, layer) =>
    roundHalfEven(fits ? first - layer * slope : rows * retention),
  );
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}
