/** A straight line through measurements, and how sure its slope is. */
interface Slope {
  /** Change per unit of x. */
  readonly perUnit: number;
  /** Half of the 95 % confidence interval. */
  readonly margin: number;
  /** Whether the interval contains zero. */
  readonly isFlat: boolean;
}

/** Standard deviations of a normal distribution that hold 95 %. */
const Z = 1.96;

/**
 * Least squares. Consecutive measurements of one process are not independent: with autocorrelation r of
 * the residuals at lag one, n of them count as n (1 − r) / (1 + r) (Bartlett 1935).
 */
export function slopeOf(x: readonly number[], y: readonly number[]): Slope {
  const n = x.length;
  if (n < 3 || y.length !== n) throw new RangeError(`a slope needs three points, not ${n}`);
  const [meanX, meanY] = [mean(x), mean(y)];
  const squares = sum(x.map((value) => (value - meanX) ** 2));
  const perUnit = sum(x.map((value, i) => (value - meanX) * (y[i]! - meanY))) / squares;
  const residuals = y.map((value, i) => value - meanY - perUnit * (x[i]! - meanX));
  const variance = sum(residuals.map((value) => value ** 2));
  const products = residuals.slice(1).map((value, i) => value * residuals[i]!);
  const r = variance > 0 ? Math.max(0, sum(products) / variance) : 0;
  const independent = Math.max(3, (n * (1 - r)) / (1 + r));
  const margin = Z * Math.sqrt((variance / (n - 2) / squares) * (n / independent));
  return { perUnit, margin, isFlat: Math.abs(perUnit) <= margin };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function mean(values: readonly number[]): number {
  return sum(values) / values.length;
}
