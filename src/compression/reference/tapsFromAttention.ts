import { observationRows } from "../blocks/score";
import type { RowScores, Span, TapSpec, Taps } from "../types";
import { type KeyValues, keyStats, spectral } from "./tapsFromKeys";

/** One prompt's attention, whole: small sizes only (fixtures, tests, `npm run policy`). */
export interface PromptAttention {
  readonly layers: number;
  /** H, query heads: a multiple of `kvHeads`. */
  readonly heads: number;
  readonly kvHeads: number;
  /** N */
  readonly rows: number;
  /** A[l,h,q,0..q], causal and after softmax. */
  attention(layer: number, head: number, query: number): Float32Array;
  readonly visual: readonly Span[];
  readonly textStart: number;
  /** [N] 1 where a key may be voted on by elite rows: the candidates. Default: the visual rows. */
  readonly keys?: ArrayLike<number | boolean>;
  /** Needed by `keyStats` and `spectral`. */
  readonly keyValues?: KeyValues;
}

/**
 * The taps of a prompt from its full attention, in double precision: what the GPU kernels are
 * tested against, and what turns recorded attention into a policy's input.
 */
export function tapsFromAttention(spec: TapSpec, input: PromptAttention): Taps {
  const { keyValues } = input;
  if ((spec.keyStats || spec.spectral) && !keyValues) {
    throw new RangeError("keyStats and spectral need keys and values");
  }
  return {
    ...(spec.columnSum && { columnSum: perGroup(input, 0, meanOfRows(1)) }),
    ...(spec.movingAverage && {
      movingAverage: movingAverageTap(spec.movingAverage.decay, input),
    }),
    ...(spec.lastRow && { lastRow: perGroup(input, input.rows - 1, meanOfRows(1)) }),
    ...(spec.window && { window: windowTap(spec.window, input) }),
    ...(spec.elite && { elite: eliteTap(spec.elite, input) }),
    ...(spec.postVision && { postVision: postVisionTap(spec.postVision.threshold, input) }),
    ...(spec.textImage && { textImage: textImageTap(input) }),
    ...(spec.keyStats && { keyStats: keyStats(input.layers, keyValues as KeyValues) }),
    ...(spec.spectral && {
      spectral: spectral(input.layers, keyValues as KeyValues, spec.spectral.gamma),
    }),
  };
}

/** Folds the rows of one group's heads into one value per key. */
type Fold = (out: Float64Array, rows: readonly Float32Array[], query: number) => void;

/** Adds the mean over the group's heads, times `scale`. */
function meanOfRows(scale: number) {
  return (out: Float64Array, rows: readonly Float32Array[]): void => {
    for (const row of rows) {
      for (let key = 0; key < row.length; key++) out[key]! += (row[key]! * scale) / rows.length;
    }
  };
}

function maxOfRows(out: Float64Array, rows: readonly Float32Array[]): void {
  for (const row of rows) {
    for (let key = 0; key < row.length; key++) out[key] = Math.max(out[key]!, row[key]!);
  }
}

/** [L, G, N]: the queries from `first` on, folded per group of query heads. */
function perGroup(input: PromptAttention, first: number, fold: Fold, groups?: number): RowScores {
  const { layers, heads, kvHeads, rows } = input;
  const count = groups ?? kvHeads;
  const data = new Float32Array(layers * count * rows);
  for (let layer = 0; layer < layers; layer++) {
    for (let group = 0; group < count; group++) {
      const out = new Float64Array(rows);
      for (let query = first; query < rows; query++) {
        fold(out, groupRows(input, layer, group, heads / count, query), query);
      }
      data.set(out, (layer * count + group) * rows);
    }
  }
  return { layers, heads: count, rows, data };
}

/** [L, G, N]: newer queries weigh more, by `decay` per query. */
function movingAverageTap(decay: number, input: PromptAttention): RowScores {
  const weight = (query: number) => (1 - decay) * decay ** (input.rows - 1 - query);
  return perGroup(input, 0, (out, rows, query) => meanOfRows(weight(query))(out, rows));
}

function groupRows(
  input: PromptAttention,
  layer: number,
  group: number,
  size: number,
  query: number,
): readonly Float32Array[] {
  return Array.from({ length: size }, (_, i) => input.attention(layer, group * size + i, query));
}

function windowTap(spec: NonNullable<TapSpec["window"]>, input: PromptAttention): RowScores {
  const count = observationRows(input, spec.rows);
  const first = input.rows - count;
  switch (spec.aggregate) {
    case "mean":
      return perGroup(input, first, meanOfRows(1 / count));
    case "max":
      return perGroup(input, first, maxOfRows);
    case "defensive":
      return perGroup(input, first, (out, rows) => {
        maxOfRows(
          out,
          rows.map((row) => poolToOwnMass(row.subarray(0, first), spec.kernel)),
        );
      });
    default:
      return spec.aggregate satisfies never;
  }
}

/**
 * DefensiveKV: average pooling (stride 1, zero padding, divisor `kernel`), rescaled so that the row
 * keeps its sum. Only keys before the window take part; the window's own get 0.
 */
function poolToOwnMass(row: Float32Array, kernel: number): Float32Array {
  const half = Math.floor(kernel / 2);
  const pooled = new Float64Array(row.length);
  for (let key = 0; key < row.length; key++) {
    for (let i = 0; i < kernel; i++) pooled[key]! += (row[key + i - half] ?? 0) / kernel;
  }
  const mass = row.reduce((sum, value) => sum + value, 0);
  const pooledMass = pooled.reduce((sum, value) => sum + value, 0);
  const scale = pooledMass > 0 ? mass / pooledMass : 0;
  return Float32Array.from(pooled, (value) => value * scale);
}

function eliteTap(
  spec: NonNullable<TapSpec["elite"]>,
  input: PromptAttention,
): NonNullable<Taps["elite"]> {
  const { layers, rows, kvHeads, heads } = input;
  const count = spec.perKvHead ? kvHeads : 1;
  const data = new Float32Array(layers * count * rows);
  const keys = eliteKeys(input);
  const chosen = Array.from({ length: layers }, (_, layer) =>
    Array.from({ length: count }, (_, group) => {
      const size = heads / count;
      const elite = eliteRows(spec, input, layer, group, size);
      const out = new Float64Array(rows);
      for (const query of elite) {
        for (const row of groupRows(input, layer, group, size, query)) {
          const seen = elite.filter((key) => key <= query);
          const mass = sumAt(row, keys) + sumAt(row, seen);
          if (mass === 0) continue;
          for (const key of keys) out[key]! += row[key]! / mass / size / elite.length;
        }
      }
      data.set(out, (layer * count + group) * rows);
      return Uint32Array.from(elite);
    }),
  );
  return { importance: { layers, heads: count, rows, data }, rows: chosen };
}

/** The keys that elite rows vote on: candidates before the text rows. */
function eliteKeys({ rows, textStart, keys, visual }: PromptAttention): readonly number[] {
  const mask = keys ?? visualMask(rows, visual);
  return range(0, Math.min(textStart, rows - 1)).filter((key) => mask[key]);
}

/** E: text rows with at least `alpha` of the largest text attention of the last row. */
function eliteRows(
  { window, alpha }: NonNullable<TapSpec["elite"]>,
  input: PromptAttention,
  layer: number,
  group: number,
  size: number,
): readonly number[] {
  const text = textRows(input);
  if (window === "allText") return text;
  if (window === "last16") return text.slice(-16);
  if (window === "last32") return text.slice(-32);
  const mean = textAttention(input, layer, group, size);
  const bar = alpha * text.reduce((max, key) => Math.max(max, mean[key]!), 0);
  return text.filter((key) => mean[key]! >= bar);
}

/** [N] The last row's attention renormalised over the text, mean over a group of query heads. */
export function textAttention(
  input: PromptAttention,
  layer: number,
  group: number,
  size: number,
): Float64Array {
  const text = textRows(input);
  const mean = new Float64Array(input.rows);
  for (const row of groupRows(input, layer, group, size, input.rows - 1)) {
    const mass = sumAt(row, text);
    if (mass > 0) for (const key of text) mean[key]! += row[key]! / mass / size;
  }
  return mean;
}

/** T: the rows after the last visual row, at least the last row of the prompt. */
function textRows({ textStart, rows }: PromptAttention): number[] {
  return range(Math.min(textStart, rows - 1), rows);
}

function postVisionTap(threshold: number, input: PromptAttention): NonNullable<Taps["postVision"]> {
  const { layers, heads, rows, textStart } = input;
  const sparsity = new Float32Array(layers);
  for (let layer = 0; layer < layers; layer++) {
    let strong = 0;
    let entries = 0;
    for (let head = 0; head < heads; head++) {
      for (let query = textStart; query < rows; query++) {
        const row = input.attention(layer, head, query);
        const bar = threshold * row.reduce((max, value) => Math.max(max, value), 0);
        strong += row.reduce((sum, value) => sum + (value >= bar ? 1 : 0), 0);
        entries += row.length;
      }
    }
    sparsity[layer] = entries > 0 ? 1 - strong / entries : 0;
  }
  return { sum: perGroup(input, textStart, meanOfRows(1)), sparsity };
}

function textImageTap(input: PromptAttention): NonNullable<Taps["textImage"]> {
  const { layers, rows, textStart, visual } = input;
  const textRows = rows - textStart;
  const mask = visualMask(rows, visual);
  const visualKeys = range(0, textStart).filter((key) => mask[key]);
  const sums = perGroup(input, textStart, meanOfRows(1), 1);
  const weight = new Float32Array(layers * textRows);
  const score = new Float32Array(layers * rows);
  const visualShare = new Float32Array(layers);
  for (let layer = 0; layer < layers; layer++) {
    const layerSums = sums.data.subarray(layer * rows, (layer + 1) * rows);
    visualShare[layer] = sumAt(layerSums, visualKeys);
    for (let text = 0; text < textRows; text++) {
      weight[layer * textRows + text] = layerSums[textStart + text]! / (textRows - text);
    }
    const out = new Float64Array(rows);
    for (let text = 0; text < textRows; text++) {
      const query = groupRows(input, layer, 0, input.heads, textStart + text);
      meanOfRows(weight[layer * textRows + text]!)(out, query);
    }
    for (const key of visualKeys) score[layer * rows + key] = out[key]!;
  }
  return {
    visualShare,
    textWeight: { layers, heads: 1, rows: textRows, data: weight },
    visualScore: { layers, heads: 1, rows, data: score },
  };
}

function visualMask(rows: number, visual: readonly Span[]): Uint8Array {
  const mask = new Uint8Array(rows);
  for (const { start, end } of visual) mask.fill(1, start, end);
  return mask;
}

function range(start: number, end: number): number[] {
  return Array.from({ length: Math.max(0, end - start) }, (_, i) => start + i);
}

function sumAt(row: ArrayLike<number>, keys: readonly number[]): number {
  return keys.reduce((sum, key) => sum + row[key]!, 0);
}
