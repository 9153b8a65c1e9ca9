/** Filters that image processors ask for: kernel, and its radius in source pixels. */
const FILTERS = {
  lanczos: { kernel: lanczos, support: 3 },
  bicubic: { kernel: bicubic, support: 2 },
  bilinear: { kernel: (x: number) => Math.max(0, 1 - Math.abs(x)), support: 1 },
} as const;

export type ResampleFilter = keyof typeof FILTERS;

/**
 * Antialiased scaling, as Pillow does it: along x, then along y, rounded to bytes in between. Image
 * processors were written against Pillow; a browser's own filters are softer.
 * @param pixels RGBA, [height, width, 4]
 */
export function resample(
  pixels: Uint8ClampedArray,
  [width, height]: readonly [width: number, height: number],
  [toWidth, toHeight]: readonly [width: number, height: number],
  filter: ResampleFilter = "lanczos",
): Uint8ClampedArray<ArrayBuffer> {
  let wide = pixels;
  if (toWidth !== width) {
    wide = new Uint8ClampedArray(toWidth * height * 4);
    scaleLines(pixels, wide, weights(width, toWidth, filter), {
      lines: height,
      line: [width * 4, toWidth * 4],
      stride: 4,
    });
  }
  const scaled = new Uint8ClampedArray(toWidth * toHeight * 4);
  scaleLines(wide, scaled, weights(height, toHeight, filter), {
    lines: toWidth,
    line: [4, 4],
    stride: toWidth * 4,
  });
  return scaled;
}

/** Pillow rounds weights to 22 bits and sums integers: with the same rounding, the same bytes. */
const ONE = 2 ** 22;

interface Weights {
  /** First source sample of each output sample. */
  readonly first: Int32Array;
  /** Its weights in units of 1 / ONE, which sum to about ONE. */
  readonly weights: readonly Float64Array[];
}

/** The filter is stretched when scaling down, so that every source sample counts. */
function weights(from: number, to: number, filter: ResampleFilter): Weights {
  const { kernel, support: radius } = FILTERS[filter];
  const scale = from / to;
  const stretch = Math.max(1, scale);
  const support = radius * stretch;
  const first = new Int32Array(to);
  const lists = Array.from({ length: to }, (_, i) => {
    const center = (i + 0.5) * scale;
    const start = Math.max(0, Math.floor(center - support + 0.5));
    const end = Math.min(from, Math.floor(center + support + 0.5));
    first[i] = start;
    const list = Float64Array.from({ length: end - start }, (_, k) =>
      kernel((start + k - center + 0.5) / stretch),
    );
    const sum = list.reduce((total, weight) => total + weight, 0);
    return list.map((weight) => Math.trunc((weight / sum) * ONE + (weight < 0 ? -0.5 : 0.5)));
  });
  return { first, weights: lists };
}

/** Keys' cubic with a = −1/2. */
function bicubic(x: number): number {
  const d = Math.abs(x);
  if (d < 1) return (1.5 * d - 2.5) * d * d + 1;
  return d < 2 ? ((-0.5 * d + 2.5) * d - 4) * d + 2 : 0;
}

function lanczos(x: number): number {
  return Math.abs(x) < 3 ? sinc(x) * sinc(x / 3) : 0;
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

/** `lines` lines, `line` elements apart in [source, target]; samples of a line are `stride` apart. */
function scaleLines(
  source: Uint8ClampedArray,
  target: Uint8ClampedArray,
  { first, weights }: Weights,
  { lines, line, stride }: { lines: number; line: readonly [number, number]; stride: number },
): void {
  for (let row = 0; row < lines; row++) {
    for (let i = 0; i < first.length; i++) {
      const list = weights[i]!;
      const from = row * line[0] + first[i]! * stride;
      let [r, g, b, a] = [ONE / 2, ONE / 2, ONE / 2, ONE / 2];
      for (let k = 0, at = from; k < list.length; k++, at += stride) {
        const weight = list[k]!;
        r += weight * source[at]!;
        g += weight * source[at + 1]!;
        b += weight * source[at + 2]!;
        a += weight * source[at + 3]!;
      }
      const to = row * line[1] + i * stride;
      target[to] = Math.floor(r / ONE); // a clamped array clamps
      target[to + 1] = Math.floor(g / ONE);
      target[to + 2] = Math.floor(b / ONE);
      target[to + 3] = Math.floor(a / ONE);
    }
  }
}
