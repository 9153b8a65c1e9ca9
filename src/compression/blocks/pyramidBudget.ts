import { roundHalfEven } from "./budget";

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
