import type { ProcessedImage } from "../families/family";

/**
 * An image's tiles at `size` pixels a side: each new pixel is the mean of the part of the old ones that it
 * covers.
 * @param image with square tiles of at least `size` pixels, whose rows stand in their order
 */
export function smallerTiles(image: ProcessedImage, size: number): ProcessedImage {
  const { pixelValues, width: from } = image;
  const planes = pixelValues.length / from ** 2;
  const weights = coverage(from, size);
  // [planes, from, size], then [planes, size, size]
  const lines = weighted(pixelValues, [planes * from, from, 1], weights);
  const values = weighted(lines, [planes, from, size], weights);
  return { ...image, pixelValues: values, width: size, height: size };
}

/** An old pixel's share of a new one. */
interface Share {
  readonly from: number;
  readonly weight: number;
}

/** Per new pixel of a line, the shares of the old ones; they sum to 1. */
function coverage(from: number, to: number): readonly (readonly Share[])[] {
  const span = from / to;
  return Array.from({ length: to }, (_, i) => {
    const [start, end] = [i * span, (i + 1) * span];
    const first = Math.floor(start);
    return Array.from({ length: Math.min(from, Math.ceil(end)) - first }, (_, k) => {
      const covered = Math.min(end, first + k + 1) - Math.max(start, first + k);
      return { from: first + k, weight: covered / span };
    });
  });
}

/** @param values f32 [outer, length, inner] @returns f32 [outer, weights, inner] */
function weighted(
  values: Float32Array,
  [outer, length, inner]: readonly [number, number, number],
  weights: readonly (readonly Share[])[],
): Float32Array<ArrayBuffer> {
  const result = new Float32Array(outer * weights.length * inner);
  for (let o = 0; o < outer; o++) {
    for (const [i, shares] of weights.entries()) {
      for (let x = 0; x < inner; x++) {
        let sum = 0;
        for (const { from, weight } of shares) {
          sum += weight * (values[(o * length + from) * inner + x] as number);
        }
        result[(o * weights.length + i) * inner + x] = sum;
      }
    }
  }
  return result;
}
