/** Query rows stored for the pass after the prefill; longer questions are truncated to this. */
export const TAIL_LIMIT = 2048;

/** Bytes for the probabilities of one block of rows. */
const BLOCK_BYTES = 32 * 1024 * 1024;

/** Of `asked` queries, those of the last `used` rows are recorded. */
interface TapNotice {
  readonly code: "fewerQueries";
  readonly asked: number;
  readonly used: number;
}

/** Rows and keys of the taps of one prompt. */
export interface TapGeometry {
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly rows: number;
  /** Keys per head: the prompt's rows, or the longest cached span. */
  readonly keys: number;
  readonly paddedKeys: number;
  /** The last rows, whose queries are stored. */
  readonly tailRows: number;
  /** Rows per block of the tail pass. */
  readonly blockRows: number;
  readonly notices: readonly TapNotice[];
}

/** @param wanted number of last rows that each tap uses */
export function tapGeometry(
  wanted: readonly number[],
  shape: Pick<TapGeometry, "layers" | "heads" | "kvHeads" | "rows" | "keys" | "paddedKeys">,
): TapGeometry {
  const most = Math.max(0, ...wanted);
  const tailRows = Math.min(most, TAIL_LIMIT, shape.rows);
  const rowBytes = shape.heads * shape.paddedKeys * 4;
  return {
    ...shape,
    tailRows,
    blockRows: Math.min(Math.max(1, tailRows), Math.max(1, Math.floor(BLOCK_BYTES / rowBytes))),
    notices: most > tailRows ? [{ code: "fewerQueries", asked: most, used: tailRows }] : [],
  };
}

/** Half-open range of rows within the tail. */
interface BlockSpan {
  readonly start: number;
  readonly end: number;
}

/**
 * The tail split into blocks, last one first. No block crosses the first row of a tap, so each block belongs
 * to a tap entirely or not at all.
 *
 * @param owned rows at the tail's end that each tap owns
 */
export function blockSpans(
  { tailRows, blockRows }: Pick<TapGeometry, "tailRows" | "blockRows">,
  owned: readonly number[],
): readonly BlockSpan[] {
  const starts = owned.map((rows) => tailRows - rows);
  const cuts = [...new Set([0, ...starts, tailRows])].sort((a, b) => b - a);
  return cuts.slice(1).flatMap((start, i) => {
    const end = cuts[i] as number;
    const count = Math.ceil((end - start) / blockRows);
    return Array.from({ length: count }, (_, block) => ({
      start: Math.max(start, end - (block + 1) * blockRows),
      end: end - block * blockRows,
    }));
  });
}
