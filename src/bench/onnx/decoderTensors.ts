import type { Gpu } from "@/gpu/gpu";
import type { Matrix } from "@/gpu/kernels/common/matrix";
import { unpackF16 } from "@/gpu/packing";

/** Floats in the type of an ONNX file: f32, or the bits of f16. */
export type OnnxFloats = "float32" | "float16";

/** A matrix on the CPU, f16 bits [rows, columns]. */
export interface HalfMatrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: Uint16Array<ArrayBuffer>;
}

/** Reads an f16 matrix back. A gated one gives the gate's rows, then as many of the other half. */
export async function readMatrix(gpu: Gpu, matrix: Matrix, isGated = false): Promise<HalfMatrix[]> {
  const { rows, columns, parts, dtype, label } = matrix;
  if (dtype !== "f16") throw new Error(`${label} is ${dtype}, not f16`);
  const halves = Array.from({ length: isGated ? 2 : 1 }, () => new Uint16Array(rows * columns));
  for (const part of parts) {
    const stored = new Uint16Array(await gpu.read(part.buffer));
    const length = part.rows * columns;
    for (const [half, values] of halves.entries()) {
      values.set(stored.subarray(half * length, (half + 1) * length), part.firstRow * columns);
    }
  }
  return halves.map((values) => ({ rows, columns, values }));
}

/** The numbers of a matrix in order, in an ONNX file's type. */
export function asBytes({ values }: Pick<HalfMatrix, "values">, type: OnnxFloats): Uint8Array {
  const typed = type === "float16" ? values : unpackF16(new Uint32Array(values.buffer));
  return new Uint8Array(typed.buffer);
}

/** [columns, rows]: what `MatMul` multiplies a row with. */
export function transposed({ rows, columns, values }: HalfMatrix): HalfMatrix {
  const turned = new Uint16Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      turned[column * rows + row] = values[row * columns + column] as number;
    }
  }
  return { rows: columns, columns: rows, values: turned };
}
