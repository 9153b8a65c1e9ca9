import { observationRows, type TapPrompt } from "@/compression/taps/prompt";
import type { TapSpec } from "@/compression/taps/registry";
import { paddedKeys } from "@/gpu/kernels/taps/tapScores";

/** Query rows stored for the pass after the prefill; longer questions are truncated to this. */
export const TAIL_LIMIT = 2048;

/** Bytes for the probabilities of one tile of rows. */
const TILE_BYTES = 32 * 1024 * 1024;

/** Rows and keys of the taps of one prompt. */
export interface TapGeometry {
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly rows: number;
  /** Keys per head: the prompt's rows, or the longest head of the cached span. */
  readonly keys: number;
  readonly paddedKeys: number;
  /** The last rows, whose queries are stored. */
  readonly tailRows: number;
  /** First rows of the window and of the text, within the tail. */
  readonly windowStart: number;
  readonly textStart: number;
  /** Rows per tile of the tail pass. */
  readonly tileRows: number;
  readonly notices: readonly string[];
}

export function tapGeometry(
  spec: TapSpec,
  prompt: TapPrompt,
  shape: Pick<TapGeometry, "layers" | "heads" | "kvHeads" | "keys">,
): TapGeometry {
  const needsText = spec.elite || spec.postVision || spec.textImage;
  // There is always an elite row: for a prompt that ends in an image, it is the last row.
  const text = needsText ? Math.max(prompt.rows - prompt.textStart, spec.elite ? 1 : 0) : 0;
  const window = spec.window ? observationRows(prompt, spec.window.rows) : 0;
  const wanted = Math.max(text, window, spec.lastRow || needsText ? 1 : 0);
  const tailRows = Math.min(wanted, TAIL_LIMIT, prompt.rows);
  const padded = paddedKeys(shape.keys);
  return {
    ...shape,
    rows: prompt.rows,
    paddedKeys: padded,
    tailRows,
    windowStart: Math.max(0, tailRows - window),
    textStart: Math.max(0, tailRows - text),
    tileRows: Math.max(1, Math.floor(TILE_BYTES / (shape.heads * padded * 4))),
    notices:
      wanted > tailRows
        ? [`Only the last ${tailRows} of ${wanted} rows were asked what they attend to.`]
        : [],
  };
}

/** Half-open range of rows within the tail. */
export interface TileSpan {
  readonly start: number;
  readonly end: number;
}

/**
 * The tail split into tiles, last one first. No tile crosses the start of the window or of the
 * text, so each tile is entirely inside or outside of either.
 */
export function tileSpans(geometry: TapGeometry): readonly TileSpan[] {
  const { tailRows, windowStart, textStart, tileRows } = geometry;
  const cuts = [0, windowStart, textStart, tailRows].toSorted((a, b) => b - a);
  return cuts.slice(1).flatMap((start, i) => {
    const end = cuts[i] as number;
    const count = Math.ceil((end - start) / tileRows);
    return Array.from({ length: count }, (_, tile) => ({
      start: Math.max(start, end - (tile + 1) * tileRows),
      end: end - tile * tileRows,
    }));
  });
}
