import { spanMask, type TapPrompt } from "@/compression/taps/prompt";
import type { TapSpec, Taps } from "@/compression/taps/registry";
import type { TapAttention } from "@/gpu/kernels/taps/tapAttention";
import type { Queries, Tile } from "@/gpu/kernels/taps/tapScores";
import type { Recorder } from "@/gpu/recorder";
import type { Scratch } from "../scratch";
import { createEliteTap } from "./eliteTap";
import { type TapGeometry, tileSpans } from "./geometry";
import { checkFinite, rowScores } from "./output";

export interface TailLayer {
  readonly layer: number;
  readonly domains: GPUBuffer;
  readonly k: GPUBuffer;
  readonly tail: Queries;
}

/** Inputs of the tail pass for any tap. */
export interface TailContext {
  readonly kernels: TapAttention;
  readonly geometry: TapGeometry;
  readonly prompt: TapPrompt;
  readonly scratch: Scratch;
}

/** A tap over the tail; called for each tile whose probabilities are ready, last tile first. */
export interface TailTap {
  tile(recorder: Recorder, tile: Tile, source: TileSource): void;
  /** Buffers to read back, and their interpretation. */
  readonly outputs: readonly GPUBuffer[];
  take(bytes: readonly ArrayBuffer[]): Partial<Taps>;
}

export interface TileSource {
  readonly probabilities: GPUBuffer;
  /** [tile rows, heads] ones. */
  readonly ones: GPUBuffer;
  readonly domains: GPUBuffer;
  readonly inWindow: boolean;
  readonly inText: boolean;
  /** Whether the tile's last row is the prompt's last row. */
  readonly isLast: boolean;
}

/**
 * Taps that need only the last rows of a prompt, whose queries were stored. When all keys are
 * cached, the rows' probabilities are computed and reduced one tile at a time, so scratch memory is
 * bounded for any prompt.
 */
export class TailPass {
  readonly taps: readonly TailTap[];
  readonly #context: TailContext;
  readonly #probabilities: GPUBuffer;
  readonly #ones: GPUBuffer;

  constructor(spec: TapSpec, context: TailContext) {
    const { geometry, scratch } = context;
    this.#context = context;
    const tileRows = Math.min(geometry.tileRows, geometry.tailRows);
    const entries = tileRows * geometry.heads;
    this.#probabilities = scratch.numbers("probabilities", entries * geometry.paddedKeys);
    this.#ones = scratch.upload("ones", new Float32Array(entries).fill(1));
    this.taps = [
      ...(spec.lastRow ? [lastRowTap(context)] : []),
      ...(spec.window ? [windowTap(spec.window, context)] : []),
      ...(spec.elite ? [createEliteTap(spec.elite, context)] : []),
      ...(spec.postVision ? [postVisionTap(spec.postVision.threshold, context)] : []),
      ...(spec.textImage ? [textImageTap(context)] : []),
    ];
  }

  layer(recorder: Recorder, { layer, domains, k, tail }: TailLayer): void {
    const { kernels, geometry } = this.#context;
    const { rows, tailRows, windowStart, textStart } = geometry;
    for (const { start, end } of tileSpans(geometry)) {
      const row = rows - tailRows + start;
      const tile: Tile = { layer, tailRow: start, row, rows: end - start };
      const probabilities = this.#probabilities;
      kernels.probabilities(recorder, { domains, k, tail, probabilities, tile });
      const source: TileSource = {
        probabilities,
        ones: this.#ones,
        domains,
        inWindow: start >= windowStart,
        inText: start >= textStart,
        isLast: end === tailRows,
      };
      for (const tap of this.taps) tap.tile(recorder, tile, source);
    }
  }
}

function groupScores({ geometry, scratch }: TailContext, name: string, units: number): GPUBuffer {
  return scratch.numbers(name, geometry.layers * units * geometry.paddedKeys);
}

function scoresOf({ geometry }: TailContext, name: string, heads: number) {
  const { layers, keys: rows, paddedKeys: paddedRows } = geometry;
  return { name, layers, heads, rows, paddedRows };
}

function lastRowTap(context: TailContext): TailTap {
  const { kernels, geometry } = context;
  const { heads, kvHeads: units } = geometry;
  const folded = groupScores(context, "last row", units);
  return {
    tile(recorder, { layer, rows }, { probabilities, ones, isLast }) {
      if (!isLast) return;
      const span = { firstRow: rows - 1, endRow: rows, scale: units / heads } as const;
      const args = { probabilities, weights: ones, folded, layer, units, takes: "sum" } as const;
      kernels.fold(recorder, { ...args, ...span });
    },
    outputs: [folded],
    take: ([bytes]) => ({
      lastRow: rowScores(bytes as ArrayBuffer, scoresOf(context, "lastRow", units)),
    }),
  };
}

function windowTap(spec: NonNullable<TapSpec["window"]>, context: TailContext): TailTap {
  const { kernels, geometry } = context;
  const { heads, kvHeads: units, tailRows, windowStart } = geometry;
  const folded = groupScores(context, "window", units);
  const pooled = spec.aggregate === "defensive" ? pooling(spec.kernel, context) : undefined;
  const takes = spec.aggregate === "max" ? "max" : "sum";
  const scale = units / heads / (tailRows - windowStart);
  return {
    tile(recorder, tile, { probabilities, ones, inWindow }) {
      if (!inWindow) return;
      if (pooled) return pooled(recorder, tile, probabilities, folded);
      const { layer, rows } = tile;
      const args = { probabilities, weights: ones, folded, layer, units, takes, scale } as const;
      kernels.fold(recorder, { ...args, firstRow: 0, endRow: rows });
    },
    outputs: [folded],
    take: ([bytes]) => ({
      window: rowScores(bytes as ArrayBuffer, scoresOf(context, "window", units)),
    }),
  };
}

/** DefensiveKV: rows are pooled over the keys before the window and keep their mass there. */
function pooling(kernelSize: number, { kernels, geometry, scratch }: TailContext) {
  const { rows, heads, tailRows, windowStart, paddedKeys, tileRows } = geometry;
  const pooledKeys = rows - (tailRows - windowStart);
  const half = Math.floor(kernelSize / 2);
  const own = spanMask(paddedKeys, [{ start: 0, end: pooledKeys }]);
  // Weight of a key in the pooled row: smaller at the ends, where the kernel extends beyond the
  // keys.
  const shares = own.map((isPooled, key) => {
    const first = Math.max(0, key + half - kernelSize + 1);
    const last = Math.min(pooledKeys - 1, key + half);
    return isPooled * (Math.max(0, last - first + 1) / kernelSize);
  });
  const [counted, pooledShares] = [scratch.upload("own", own), scratch.upload("pooled", shares)];
  const gates = scratch.upload("gates", new Float32Array(tailRows).fill(1));
  const factors = Math.min(tileRows, tailRows) * heads;
  const [perMass, perPooled] = [
    scratch.numbers("per mass", factors),
    scratch.numbers("per pooled", factors),
  ];
  return (recorder: Recorder, tile: Tile, probabilities: GPUBuffer, largest: GPUBuffer): void => {
    const args = { probabilities, gates, units: 1, tile, tailRows };
    kernels.rowMass(recorder, { ...args, counted, factors: perMass });
    kernels.rowMass(recorder, { ...args, counted: pooledShares, factors: perPooled });
    const masses = { probabilities, perMass, perPooled, largest, tile };
    kernels.pooledMax(recorder, { ...masses, pooledKeys, kernelSize });
  };
}

function postVisionTap(threshold: number, context: TailContext): TailTap {
  const { kernels, geometry, scratch } = context;
  const { layers, heads, kvHeads: units, rows, tailRows, textStart, tileRows } = geometry;
  const folded = groupScores(context, "post vision", units);
  const strong = scratch.numbers("strong", Math.min(tileRows, tailRows) * heads);
  const sums = scratch.numbers("strong entries", layers * heads);
  const hasText = context.prompt.textStart < rows;
  return {
    tile(recorder, tile, { probabilities, ones, domains, inText }) {
      if (!inText || !hasText) return;
      const { layer, rows: endRow } = tile;
      const args = { probabilities, weights: ones, folded, layer, units, takes: "sum" } as const;
      kernels.fold(recorder, { ...args, firstRow: 0, endRow, scale: units / heads });
      kernels.rowStrong(recorder, { domains, probabilities, strong, tile, threshold });
      kernels.sumRows(recorder, { counts: strong, sums, layer, rows: endRow });
    },
    outputs: [folded, sums],
    take([bytes, counts]) {
      const found = new Uint32Array(counts as ArrayBuffer);
      let entries = 0;
      const first = hasText ? rows - tailRows + textStart : rows;
      for (let row = first; row < rows; row++) entries += row + 1;
      const sparsity = Float32Array.from({ length: layers }, (_, layer) => {
        const reached = found.subarray(layer * heads, (layer + 1) * heads);
        const total = reached.reduce((sum, count) => sum + count, 0);
        return entries > 0 ? 1 - total / (entries * heads) : 0;
      });
      const sum = rowScores(bytes as ArrayBuffer, scoresOf(context, "postVision", units));
      return { postVision: { sum, sparsity } };
    },
  };
}

function textImageTap(context: TailContext): TailTap {
  const { kernels, geometry, prompt, scratch } = context;
  const { layers, heads, rows, keys, tailRows, textStart, tileRows } = geometry;
  const sums = groupScores(context, "text sums", 1);
  const scores = groupScores(context, "visual scores", 1);
  const weights = scratch.numbers("text weights", Math.min(tileRows, tailRows) * heads);
  const visual = spanMask(keys, prompt.visual);
  const textRows = prompt.textStart < rows ? tailRows - textStart : 0;
  return {
    tile(recorder, tile, { probabilities, ones, inText }) {
      if (!inText || textRows === 0) return;
      const { layer, rows: endRow } = tile;
      const span = {
        layer,
        units: 1,
        takes: "sum",
        firstRow: 0,
        endRow,
        scale: 1 / heads,
      } as const;
      kernels.fold(recorder, { ...span, probabilities, weights: ones, folded: sums });
      kernels.textWeights(recorder, { sums, weights, tile, promptRows: rows });
      kernels.fold(recorder, { ...span, probabilities, weights, folded: scores });
    },
    outputs: [sums, scores],
    take([sumBytes, scoreBytes]) {
      const { data: sum } = rowScores(sumBytes as ArrayBuffer, scoresOf(context, "textImage", 1));
      const visualScore = rowScores(scoreBytes as ArrayBuffer, scoresOf(context, "textImage", 1));
      const visualShare = new Float32Array(layers);
      for (let i = 0; i < layers * keys; i++) {
        const isVisual = visual[i % keys] as number;
        visualShare[Math.floor(i / keys)]! += isVisual * sum[i]!;
        visualScore.data[i]! *= isVisual;
      }
      const data = new Float32Array(layers * textRows);
      for (let i = 0; i < data.length; i++) {
        const [layer, text] = [Math.floor(i / textRows), i % textRows];
        data[i] = sum[layer * keys + rows - textRows + text]! / (textRows - text);
      }
      checkFinite("textImage", data, layers);
      const textWeight = { layers, heads: 1, rows: textRows, data };
      return { textImage: { visualShare, textWeight, visualScore } };
    },
  };
}
