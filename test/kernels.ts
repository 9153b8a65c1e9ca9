import type { Element } from "@/gpu/kernels/elements";
import type { KvType } from "@/gpu/kernels/kvType";
import type { Matrix } from "@/gpu/kernels/matrix";
import { packBf16, packF16, unpackBf16, unpackF16 } from "@/gpu/packing";
import type { Scratch } from "@/gpu/scratch";

type Floats = Float32Array<ArrayBuffer>;

/** Repeatable values in [-1, 1). */
export function randomFloats(count: number, seed: number): Floats {
  let state = seed * 2654435761 + 1;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state / 2 ** 31;
  });
}

/** `values` stored as `element`, and what is left of them after rounding. */
export function store(scratch: Scratch, values: Floats, element: Element | KvType) {
  if (element === "f32") return { buffer: scratch.upload(values), values };
  const words = element === "f16" ? packF16(values) : packBf16(values);
  const rounded = element === "f16" ? unpackF16(words) : unpackBf16(words);
  return { buffer: scratch.upload(words), values: rounded };
}

export interface TestMatrixSpec {
  readonly element: Element;
  readonly rows: number;
  readonly columns: number;
  /** Rows of each part but the last; default: one part. */
  readonly partRows?: number;
  /** Gate and up: twice as many stored rows. */
  readonly isGated?: boolean;
}

/** A random matrix as the kernels see it, and its values [stored rows, columns]. */
export function randomMatrix(scratch: Scratch, spec: TestMatrixSpec, seed: number) {
  const { element, rows, columns, partRows = rows, isGated = false } = spec;
  const halves = isGated ? 2 : 1;
  const stored = randomFloats(halves * rows * columns, seed);
  const values = new Float32Array(stored.length);
  const parts = [];
  for (let firstRow = 0; firstRow < rows; firstRow += partRows) {
    const count = Math.min(partRows, rows - firstRow);
    const piece = new Float32Array(halves * count * columns);
    for (let half = 0; half < halves; half++) {
      const from = (half * rows + firstRow) * columns;
      piece.set(stored.subarray(from, from + count * columns), half * count * columns);
    }
    const { buffer, values: rounded } = store(scratch, piece, element);
    for (let half = 0; half < halves; half++) {
      const size = count * columns;
      const to = (half * rows + firstRow) * columns;
      values.set(rounded.subarray(half * size, (half + 1) * size), to);
    }
    parts.push({ buffer, firstRow, rows: count });
  }
  const matrix: Matrix = { label: "test", element, rows, columns, parts };
  return { matrix, values };
}

/** Largest absolute difference; NaN counts as infinite. */
export function maxError(actual: Floats, expected: Floats): number {
  if (actual.length < expected.length) return Infinity;
  return expected.reduce((worst, value, at) => {
    const error = Math.abs(value - (actual[at] as number));
    return Number.isNaN(error) ? Infinity : Math.max(worst, error);
  }, 0);
}
