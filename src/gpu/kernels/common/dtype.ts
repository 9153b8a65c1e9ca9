/** Floating-point weights. */
export type FloatType = "f32" | "f16" | "bf16";

/**
 * Weights in 8 or 4 bits: a code × scale + bias, with a scale and a bias per group of columns. `q4g64bf16`
 * has 4 bits, groups of 64, and scales in bf16 instead of f16.
 */
export type GroupedType = `q${4 | 8}g${32 | 64 | 128}${"" | "bf16"}`;

/** How a weight is stored. Arithmetic is always f32. */
export type DType = FloatType | GroupedType;

/** Bytes of one stored weight. */
const FLOAT_BYTES: Readonly<Record<FloatType, number>> = { f32: 4, f16: 2, bf16: 2 };

/** The numbers in the name of a grouped type. */
export interface Grouping {
  readonly bits: 4 | 8;
  /** Columns that share a scale and a bias. */
  readonly group: 32 | 64 | 128;
  readonly scales: "f16" | "bf16";
}

/** @returns undefined for floating-point weights */
export function groupingOf(dtype: DType): Grouping | undefined {
  const [, bits, group, scales] = dtype.match(/^q([48])g(32|64|128)(bf16)?$/) ?? [];
  if (!bits) return undefined;
  return { bits: Number(bits), group: Number(group), scales: scales ?? "f16" } as Grouping;
}

/**
 * Columns of a run: what an invocation loads of a row at once (`RUN4` in WGSL).
 * @param columns of the matrix, if the kernel reads one size only
 */
export function runColumns(dtype: DType, columns?: number): number {
  return groupingOf(dtype) || (columns && isWide(dtype, columns)) ? 8 : 4;
}

/** Whether rows of 16-bit weights can be read 16 bytes at a time. */
export function isWide(dtype: DType, columns: number): boolean {
  return (dtype === "f16" || dtype === "bf16") && columns % 8 === 0;
}

/** Bytes of a row as the kernels read it: `weight_plain.wgsl`, `weight_grouped.wgsl`. */
export function rowBytes(dtype: DType, columns: number): number {
  const grouping = groupingOf(dtype);
  if (!grouping) return columns * FLOAT_BYTES[dtype as FloatType];
  const codes = Math.ceil((columns * grouping.bits) / 128);
  return 16 * (codes + Math.ceil(columns / (4 * grouping.group)));
}
