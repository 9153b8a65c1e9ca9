import { afterAll, afterEach } from "vitest";
import type { DType } from "@/gpu/kernels/common/dtype";
import type { Matrix } from "@/gpu/kernels/common/matrix";
import { maxError, randomFloats } from "@/gpu/selfTest/reference";
import { TestBuffers } from "@/gpu/selfTest/testBuffers";
import { createTestGpu } from "./dawn";

export { maxError, randomFloats };

/** A device, and buffers that are freed after each test. Call it where tests are declared. */
export async function createTestScratch() {
  const gpu = await createTestGpu();
  const scratch = new TestBuffers(gpu);
  afterEach(() => scratch.destroy());
  afterAll(() => gpu.device.destroy());
  return { gpu, scratch };
}

interface TestMatrixSpec {
  readonly dtype: DType;
  readonly rows: number;
  readonly columns: number;
  /** Rows of each part but the last; default: one part. */
  readonly partRows?: number;
  /** Gate and up: twice as many stored rows. */
  readonly isGated?: boolean;
}

/** A random matrix as the kernels see it, and its values [stored rows, columns]. */
export function randomMatrix(scratch: TestBuffers, spec: TestMatrixSpec, seed: number) {
  const { dtype, rows, columns, partRows = rows, isGated = false } = spec;
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
    const { buffer, values: rounded } = scratch.store(piece, dtype, columns);
    for (let half = 0; half < halves; half++) {
      const size = count * columns;
      const to = (half * rows + firstRow) * columns;
      values.set(rounded.subarray(half * size, (half + 1) * size), to);
    }
    parts.push({ buffer, firstRow, rows: count });
  }
  const matrix: Matrix = { label: "test", dtype, rows, columns, parts };
  return { matrix, values };
}
