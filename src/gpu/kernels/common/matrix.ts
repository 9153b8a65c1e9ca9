import type { DType } from "./dtype";

/** Rows `firstRow … firstRow + rows` of a matrix in a buffer of their own. */
export interface MatrixPart {
  readonly buffer: GPUBuffer;
  readonly firstRow: number;
  readonly rows: number;
}

/**
 * A weight [rows, columns]: row-major, one row per output, in rows of `rowBytes`, split by rows if
 * it exceeds the binding size limit. A gated matrix (gate and up) has `rows` outputs and twice as
 * many stored rows: each part holds its gate rows, then its up rows.
 */
export interface Matrix {
  readonly label: string;
  readonly dtype: DType;
  readonly rows: number;
  /** A multiple of 4. */
  readonly columns: number;
  readonly parts: readonly MatrixPart[];
}
