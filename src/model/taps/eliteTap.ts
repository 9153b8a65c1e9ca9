import { spanMask, votedKeys } from "@/compression/taps/prompt";
import type { TapSpec } from "@/compression/taps/registry";
import { rowScores } from "./output";
import type { TailContext, TailTap } from "./tailTaps";

/**
 * AirCache's elite window. The last row's attention to the text rows, renormalised over them and
 * averaged over heads, selects the elite rows: those with at least `alpha` of its maximum. Each
 * elite row's attention is renormalised over the scored keys and the elite rows up to itself; a
 * key's importance is its mean over elite rows and heads. Only the importances and the elite set
 * are read back.
 */
export function createEliteTap(spec: NonNullable<TapSpec["elite"]>, context: TailContext): TailTap {
  const { kernels, geometry, prompt, scratch } = context;
  const { layers, heads, kvHeads, rows, keys, paddedKeys, tailRows, tileRows } = geometry;
  const units = spec.perKvHead ? kvHeads : 1;
  const textRows = tailRows - geometry.textStart;
  const textStart = rows - textRows;
  const fixed = fixedRows(spec.window, textRows);
  const text = { textStart, textRows, tailRow: geometry.textStart, tailRows };

  const entries = Math.min(tileRows, tailRows) * heads;
  const factors = scratch.numbers("elite factors", entries);
  const shares = scratch.numbers("elite shares", layers * units * paddedKeys);
  const folded = scratch.numbers("elite importance", layers * units * paddedKeys);
  const chosen = scratch.numbers("elite rows", layers * units * textRows);
  const voters = (fixed ?? []).map((place) => textStart + place);
  const countedKeys = markAt(votedKeys(prompt, paddedKeys), voters);
  const counted = scratch.upload("elite keys", repeat(countedKeys, units));
  const tailVoters = voters.map((row) => row - (rows - tailRows));
  const votes = markAt(new Float32Array(tailRows), tailVoters);
  const gates = scratch.upload("elite gates", repeat(votes, units));
  const lastOnly = markAt(new Float32Array(tailRows), [tailRows - 1]);
  const lastGate = scratch.upload("last gate", lastOnly);
  const isText = spanMask(paddedKeys, [{ start: textStart, end: rows }]);
  const textKeys = scratch.upload("text keys", isText);
  const scale = units / heads;

  return {
    tile(recorder, tile, { probabilities, inText, isLast }) {
      if (!inText || textRows === 0) return;
      const { layer, rows: endRow } = tile;
      const mass = { probabilities, factors, tile, tailRows };
      const span = { probabilities, weights: factors, layer, units, takes: "sum", scale } as const;
      if (isLast && !fixed) {
        kernels.rowMass(recorder, { ...mass, counted: textKeys, gates: lastGate, units: 1 });
        kernels.fold(recorder, { ...span, folded: shares, firstRow: endRow - 1, endRow });
        const found = { shares, gates, counted, chosen, layer, units, alpha: spec.alpha };
        kernels.eliteSelect(recorder, { ...found, ...text });
      }
      kernels.rowMass(recorder, { ...mass, counted, gates, units });
      kernels.fold(recorder, { ...span, folded, firstRow: 0, endRow });
    },
    outputs: [folded, chosen],
    take([bytes, flags]) {
      const isElite = new Uint32Array(flags as ArrayBuffer);
      const elite = Array.from({ length: layers }, (_, layer) =>
        Array.from({ length: units }, (_, unit) => {
          const first = (layer * units + unit) * textRows;
          const places = fixed ?? [...Array(textRows).keys()].filter((i) => isElite[first + i]);
          return Uint32Array.from(places, (place) => textStart + place);
        }),
      );
      const importance = rowScores(
        bytes as ArrayBuffer,
        { name: "elite", layers, heads: units, rows: keys, paddedRows: paddedKeys },
        (layer, unit) => 1 / Math.max(1, elite[layer]![unit]!.length),
      );
      const mask = votedKeys(prompt, keys);
      importance.data.forEach((value, i) => {
        importance.data[i] = value * mask[i % keys]!;
      });
      return { elite: { importance, rows: elite } };
    },
  };
}

/** Indices within the text of the elite rows, if known beforehand. */
function fixedRows(
  window: NonNullable<TapSpec["elite"]>["window"],
  textRows: number,
): readonly number[] | undefined {
  const all = [...Array(textRows).keys()];
  switch (window) {
    case "elite":
      return undefined;
    case "allText":
      return all;
    case "last16":
      return all.slice(-16);
    case "last32":
      return all.slice(-32);
    default:
      return window satisfies never;
  }
}

function markAt(
  values: Float32Array<ArrayBuffer>,
  places: readonly number[],
): Float32Array<ArrayBuffer> {
  for (const place of places) values[place] = 1;
  return values;
}

/** [times, length]: the values repeated. */
function repeat(values: Float32Array, times: number): Float32Array<ArrayBuffer> {
  const all = new Float32Array(values.length * times);
  for (let i = 0; i < times; i++) all.set(values, i * values.length);
  return all;
}
