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
  const sum = sumOf(weights);
  return weights.map((weight) => (sum > 0 ? (weight / sum) * total : total / weights.length));
}

/** Integers with the sum `total` (an integer) nearest to `shares`. */
export function largestRemainder(shares: readonly number[], total: number): number[] {
  const rows = shares.map((share) => Math.floor(share + 1e-12));
  const order = shares
    .map((share, layer) => ({ rest: share - rows[layer]!, layer }))
    .sort((a, b) => b.rest - a.rest || a.layer - b.layer);
  let left = total - sumOf(rows);
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
  let excess = sumOf(rows) - total;
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

export function sumOf(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}
