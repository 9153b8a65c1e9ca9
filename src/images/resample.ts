/**
 * Antialiased Lanczos scaling (support 3) like Pillow's: along x, then along y, rounded to bytes in
 * between. Image processors expect Pillow's results; a browser's own filters blur more.
 * @param pixels RGBA, [height, width, 4]
 */
export function resample(
  pixels: Uint8ClampedArray,
  [width, height]: readonly [width: number, height: number],
  [toWidth, toHeight]: readonly [width: number, height: number],
): Uint8ClampedArray<ArrayBuffer> {
  let wide = pixels;
  if (toWidth !== width) {
    wide = new Uint8ClampedArray(toWidth * height * 4);
    scaleLines(pixels, wide, weights(width, toWidth), {
      lines: height,
      line: [width * 4, toWidth * 4],
      step: 4,
    });
  }
  const scaled = new Uint8ClampedArray(toWidth * toHeight * 4);
  scaleLines(wide, scaled, weights(height, toHeight), {
    lines: toWidth,
    line: [4, 4],
    step: toWidth * 4,
  });
  return scaled;
}

interface Weights {
  /** First source sample of each output sample. */
  readonly first: Int32Array;
  /** Its weights, which sum to 1. */
  readonly weights: readonly Float64Array[];
}

/** When scaling down, the filter is widened to cover every source sample. */
function weights(from: number, to: number): Weights {
  const scale = from / to;
  const stretch = Math.max(1, scale);
  const support = 3 * stretch;
  const first = new Int32Array(to);
  const lists = Array.from({ length: to }, (_, i) => {
    const center = (i + 0.5) * scale;
    const start = Math.max(0, Math.floor(center - support + 0.5));
    const end = Math.min(from, Math.floor(center + support + 0.5));
    first[i] = start;
    const list = Float64Array.from({ length: end - start }, (_, k) =>
      lanczos((start + k - center + 0.5) / stretch),
    );
    const sum = list.reduce((total, weight) => total + weight, 0);
    return list.map((weight) => weight / sum);
  });
  return { first, weights: lists };
}

function lanczos(x: number): number {
  return Math.abs(x) < 3 ? sinc(x) * sinc(x / 3) : 0;
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

/** `lines` lines, `line` elements apart in [source, target]; samples of a line are `step` apart. */
function scaleLines(
  source: Uint8ClampedArray,
  target: Uint8ClampedArray,
  { first, weights }: Weights,
  { lines, line, step }: { lines: number; line: readonly [number, number]; step: number },
): void {
  for (let row = 0; row < lines; row++) {
    for (let i = 0; i < first.length; i++) {
      const list = weights[i]!;
      const from = row * line[0] + first[i]! * step;
      let [r, g, b, a] = [0, 0, 0, 0];
      for (let k = 0, at = from; k < list.length; k++, at += step) {
        const weight = list[k]!;
        r += weight * source[at]!;
        g += weight * source[at + 1]!;
        b += weight * source[at + 2]!;
        a += weight * source[at + 3]!;
      }
      const to = row * line[1] + i * step;
      target[to] = r; // a clamped array rounds
      target[to + 1] = g;
      target[to + 2] = b;
      target[to + 3] = a;
    }
  }
}
