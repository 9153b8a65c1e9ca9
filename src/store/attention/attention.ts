import type { AnswerAttention, LayerReport } from "@/protocol/result";
import type { LayerChoice } from "../settings/settings";

/**
 * A sink receives at least this many times the uniform share of a word's attention over the visual
 * rows,
 */
const SINK_TIMES = 8;
/** for at least this share of the words. */
const SINK_WORDS = 0.75;
/** With fewer words, a sink cannot be distinguished from the place of the answer. */
const SINK_MIN_WORDS = 3;

/**
 * An attended row has at least this share of the attention of the strongest row that is no sink.
 */
const ATTENDED = 0.25;

/** Attention of one step to the visual rows, mean over the selected layers. [positions] */
function attentionAt(
  answerAttention: AnswerAttention,
  step: number,
  layer: LayerChoice,
): Float64Array {
  const rows = answerAttention.positions.length;
  const layers = layersOf(answerAttention, layer);
  const mean = new Float64Array(rows);
  for (const each of layers) {
    const start = (step * answerAttention.layers + each) * rows;
    for (let row = 0; row < rows; row++) {
      mean[row]! += (answerAttention.cells[start + row]! / 255) ** 2 / layers.length;
    }
  }
  return mean;
}

function layersOf({ layers }: AnswerAttention, layer: LayerChoice): readonly number[] {
  if (layer === "all") return Array.from({ length: layers }, (_, each) => each);
  return [Math.min(layer, layers - 1)];
}

/** Sum over a word's steps of the attention, by position of the visual row. */
export function attentionOfSteps(
  answerAttention: AnswerAttention,
  steps: readonly number[],
  layer: LayerChoice,
): ReadonlyMap<number, number> {
  const sum = new Float64Array(answerAttention.positions.length);
  for (const step of steps) {
    const each = attentionAt(answerAttention, step, layer);
    for (let row = 0; row < sum.length; row++) sum[row]! += each[row]!;
  }
  return new Map(answerAttention.positions.map((position, row) => [position, sum[row]!]));
}

/** Sum over a word's steps of the attention to one row in one layer. */
export function attentionOfRow(
  { positions, layers, cells }: AnswerAttention,
  steps: readonly number[],
  layer: number,
  position: number,
): number {
  const row = positions.indexOf(position);
  if (row < 0 || layer >= layers) return 0;
  return steps.reduce(
    (sum, step) => sum + (cells[(step * layers + layer) * positions.length + row]! / 255) ** 2,
    0,
  );
}

/**
 * Positions of the visual rows that are attention sinks: for at least three quarters of the words,
 * and at least three words, they receive at least eight times the uniform share. The uniform share
 * is the word's attention over the visual rows divided by the number of rows that the layer holds.
 * @param words the recorded steps of each word of the answer
 */
export function sinkRows(
  answerAttention: AnswerAttention,
  words: readonly (readonly number[])[],
  reports: readonly LayerReport[],
  layer: LayerChoice,
): ReadonlySet<number> {
  const recorded = words.filter((steps) => steps.length > 0);
  if (recorded.length < SINK_MIN_WORDS) return new Set();
  const cached = meanCached(answerAttention, reports, layer);
  const times = new Map<number, number>();
  for (const steps of recorded) {
    const attention = attentionOfSteps(answerAttention, steps, layer);
    let sum = 0;
    for (const each of attention.values()) sum += each;
    for (const [position, each] of attention) {
      if (each > 0 && each >= (SINK_TIMES * sum) / cached) {
        times.set(position, (times.get(position) ?? 0) + 1);
      }
    }
  }
  const least = SINK_WORDS * recorded.length;
  return new Set(
    answerAttention.positions.filter((position) => (times.get(position) ?? 0) >= least),
  );
}

/** Visual rows that the selected layers hold, on average; a fraction if heads differ. */
function meanCached(
  answerAttention: AnswerAttention,
  reports: readonly LayerReport[],
  layer: LayerChoice,
): number {
  const visual = new Set(answerAttention.positions);
  const layers = layersOf(answerAttention, layer);
  const cached = layers.map((each) => {
    const report = reports[each];
    if (!report) return answerAttention.positions.length;
    const lists = report.keptPerHead ?? [report.kept];
    const rows = lists.map((list) => list.filter((position) => visual.has(position)).length);
    return rows.reduce((sum, count) => sum + count, 0) / lists.length;
  });
  return Math.max(1, cached.reduce((sum, rows) => sum + rows, 0) / layers.length);
}

/**
 * Attention as brightness in [0, 1]: the square root of its ratio to the strongest row that is no
 * sink, because relative to a sink all other rows would be dark.
 */
export function lightOf(
  attention: ReadonlyMap<number, number>,
  sinks: ReadonlySet<number>,
): ReadonlyMap<number, number> {
  const most = strongest(attention, sinks);
  const light = new Map<number, number>();
  for (const [position, each] of attention) {
    if (each > 0) light.set(position, Math.sqrt(Math.min(1, most > 0 ? each / most : 1)));
  }
  return light;
}

/**
 * Attended rows: at least a quarter of the strongest row's attention, strongest first, without
 * sinks.
 */
export function attendedRows(
  attention: ReadonlyMap<number, number>,
  sinks: ReadonlySet<number>,
): readonly number[] {
  const least = ATTENDED * strongest(attention, sinks);
  return [...attention]
    .filter(([position, each]) => each > 0 && each >= least && !sinks.has(position))
    .sort((a, b) => b[1] - a[1])
    .map(([position]) => position);
}

function strongest(attention: ReadonlyMap<number, number>, sinks: ReadonlySet<number>): number {
  let most = 0;
  for (const [position, each] of attention) if (!sinks.has(position)) most = Math.max(most, each);
  return most;
}
