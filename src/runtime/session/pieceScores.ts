import type { Taps } from "@/compression/taps/registry";
import type { RowScores } from "@/compression/taps/tap";
import type { RowCounts } from "@/model/kv/layout";
import type { TapRequest } from "../report/tapRecording";

/** What a piece's queries attend to: its own rows, and the rows before it. */
export function columnSums(rows: number, hasCached: boolean): readonly TapRequest[] {
  const request = {
    spec: { columnSum: true },
    prompt: { rows, visual: [], textStart: 0 },
  } as const;
  return hasCached ? [request, { ...request, cachedSpan: true }] : [request];
}

interface PieceTaps {
  readonly own: Taps;
  readonly cached: Taps | undefined;
  readonly before: RowCounts;
  /** Cached rows of the turn before the piece. */
  readonly earlier: number;
  readonly rows: number;
}

/** Mean attention to each of the turn's rows over the piece's queries that see it, [layer][slot]. */
export function pieceScores({
  own,
  cached,
  before,
  earlier,
  rows,
}: PieceTaps): readonly Float64Array[] {
  return before.map((heads, layer) => {
    const scores = new Float64Array(earlier + rows);
    for (const [head, first] of heads.entries()) {
      for (let slot = 0; slot < earlier; slot++) {
        scores[slot]! += scoreAt(cached?.columnSum, layer, head, first + slot) / rows;
      }
      for (let row = 0; row < rows; row++) {
        scores[earlier + row]! += scoreAt(own.columnSum, layer, head, row) / (rows - row);
      }
    }
    return scores;
  });
}

function scoreAt(scores: RowScores | undefined, layer: number, head: number, row: number): number {
  return scores?.data[(layer * scores.heads + head) * scores.rows + row] ?? 0;
}
