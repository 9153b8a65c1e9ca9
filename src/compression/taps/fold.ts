import type { PromptAttention, RowScores } from "./tap";

/** Sums and maxima over query rows and the query heads of a group, in double precision. */

/** Reduces the rows of one group's heads to one value per key. */
type Fold = (out: Float64Array, rows: readonly Float32Array[], query: number) => void;

/** Adds the mean over the group's heads, times `scale`. */
export function meanOfRows(scale: number) {
  return (out: Float64Array, rows: readonly Float32Array[]): void => {
    for (const row of rows) {
      for (let key = 0; key < row.length; key++) out[key]! += (row[key]! * scale) / rows.length;
    }
  };
}

/** Raises `out` [N] to the rows where they are larger. */
export function maxOfRows(out: Float64Array, rows: readonly Float32Array[]): void {
  for (const row of rows) {
    for (let key = 0; key < row.length; key++) out[key] = Math.max(out[key]!, row[key]!);
  }
}

/** [L, groups, N]: the queries from `first` on, folded per group of query heads (default: per KV head). */
export function foldQueries(
  input: PromptAttention,
  first: number,
  fold: Fold,
  groups = input.kvHeads,
): RowScores {
  const { layers, heads, rows } = input;
  const data = new Float32Array(layers * groups * rows);
  for (let layer = 0; layer < layers; layer++) {
    for (let group = 0; group < groups; group++) {
      const out = new Float64Array(rows);
      for (let query = first; query < rows; query++) {
        fold(out, groupRows(input, { layer, group, size: heads / groups }, query), query);
      }
      data.set(out, (layer * groups + group) * rows);
    }
  }
  return { layers, heads: groups, rows, data };
}

/** Query heads of a layer: `size` of them from `group` · `size` on. */
export interface HeadGroup {
  readonly layer: number;
  readonly group: number;
  readonly size: number;
}

/** One query row of every head of a group. */
export function groupRows(
  input: PromptAttention,
  { layer, group, size }: HeadGroup,
  query: number,
): readonly Float32Array[] {
  return Array.from({ length: size }, (_, i) => input.attention(layer, group * size + i, query));
}

export function sumAt(row: ArrayLike<number>, keys: readonly number[]): number {
  return keys.reduce((sum, key) => sum + row[key]!, 0);
}

/** `start` … `end`, half-open. */
export function indices(start: number, end: number): number[] {
  return Array.from({ length: Math.max(0, end - start) }, (_, i) => start + i);
}

/** Where the mask is set. */
export function marked(mask: ArrayLike<number | boolean>): number[] {
  return indices(0, mask.length).filter((key) => mask[key]);
}
