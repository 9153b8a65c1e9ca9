import { rowBudget } from "@/compression/blocks/budget";
import type { Span } from "@/compression/taps/prompt";
import { observationRows } from "@/compression/taps/prompt";
import type { TapSpec, Taps } from "@/compression/taps/registry";
import type { PlanInput, Rotary, VisionTaps } from "@/compression/types";
import type { Prompt } from "@/model/prompt/prompt";
import type { CacheSettings } from "@/protocol/request";

/** The model's dimensions that a plan needs. */
export interface ModelShape {
  readonly layers: number;
  readonly kvHeads: number;
  readonly rotary?: Rotary;
}

/**
 * The rows of one prefill, as policies see them: counted from 0, regardless of earlier cached rows.
 */
export interface PrefillSpan {
  /** Tokens seen before: row r of the span has position `start` + r. */
  readonly start: number;
  readonly rows: number;
  /** One span per image tile, ascending. */
  readonly visual: readonly Span[];
  /** First row of the text whose attention the taps record. */
  readonly textStart: number;
  /** The rows that are computed, ascending; absent: all. */
  readonly kept?: Uint32Array;
}

/** Without an image, this many of the last rows count as the question. */
const TEXT_ROWS = 32;

/** The rows that a prefill of the tokens `start` … `end` of a prompt adds. */
export function prefillSpan(
  prompt: Pick<Prompt, "tiles">,
  { start, end }: { readonly start: number; readonly end: number },
): PrefillSpan {
  const rows = end - start;
  const visual = prompt.tiles
    .filter((tile) => tile.start >= start && tile.start < end)
    .map((tile) => ({ start: tile.start - start, end: tile.start - start + tile.count }));
  const textStart = visual.at(-1)?.end ?? rows - Math.max(1, Math.min(rows - 1, TEXT_ROWS));
  return { start, rows, visual, textStart };
}

/** The visual rows of a span, in order. */
export function visualRowsOf({ visual }: Pick<PrefillSpan, "visual">): readonly number[] {
  return visual.flatMap(({ start, end }) =>
    Array.from({ length: end - start }, (_, i) => start + i),
  );
}

/** A span as its computed rows are: what taps of such a prefill count. */
export function computedSpan(
  span: PrefillSpan,
): Pick<PrefillSpan, "rows" | "visual" | "textStart"> {
  const { kept, rows, visual, textStart } = span;
  if (!kept) return { rows, visual, textStart };
  const before = (row: number) => kept.filter((each) => each < row).length;
  const spans = visual.map(({ start, end }) => ({ start: before(start), end: before(end) }));
  return {
    rows: kept.length,
    visual: spans.filter(({ start, end }) => end > start),
    textStart: before(textStart),
  };
}

/** Taps as this span can give them: a window is at most the text after the image. */
export function tapsWithin(asked: TapSpec, span: PrefillSpan): TapSpec {
  const { window } = asked;
  if (!window) return asked;
  return { ...asked, window: { ...window, rows: observationRows(span, window.rows) } };
}

/** What a plan for a prefill depends on. */
interface PlanSource {
  readonly span: PrefillSpan;
  readonly shape: ModelShape;
  readonly settings: Pick<CacheSettings, "retention" | "scope">;
  readonly taps: Taps;
  readonly seed: number;
  readonly vision?: VisionTaps | undefined;
}

/** A policy's input for a prefill. */
export function planInput({ span, shape, settings, taps, seed, vision }: PlanSource): PlanInput {
  const { start, rows, visual, textStart } = span;
  const { layers, kvHeads } = shape;
  const { retention, scope } = settings;
  const candidates =
    scope === "prompt"
      ? Uint32Array.from({ length: rows }, (_, row) => row)
      : Uint32Array.from(visualRowsOf(span));
  const budget = rowBudget(retention, candidates.length, layers);
  const common = { layers, kvHeads, rows, visual, textStart, candidates, budget, retention };
  const rotary = shape.rotary && { ...shape.rotary, firstPosition: start };
  return { ...common, taps, seed, ...(vision && { vision }), ...(rotary ? { rotary } : {}) };
}
