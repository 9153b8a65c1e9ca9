import type { EliteSpec, EliteVotes } from "@/compression/taps/elite";
import { spanMask, votedKeys } from "@/compression/taps/prompt";
import type { Gpu } from "@/gpu/gpu";
import { compileCall } from "@/gpu/kernels/common/kernelCall";
import { paddedKeys, type TapFamily, type TapShape } from "../family";
import { readScores, scoreBuffer } from "../output";
import { ceilGroups, compileFold, compileRowMass, TAP_WORKGROUP } from "../shared/kernels";
import eliteSelect from "./tap_elite_select.wgsl?raw";

/**
 * The last row's attention to the text rows names the elite rows; each elite row's attention is then
 * renormalised over the voted keys and the elite rows up to itself, and summed. Only importances and the
 * set leave the GPU.
 */
export const eliteTap: TapFamily<EliteSpec, EliteVotes> = {
  // There is always an elite row: for a prompt that ends in an image, it is the last row.
  tailRows: (_, { rows, textStart }) => Math.max(rows - textStart, 1),
  async prepare(gpu, shape, spec) {
    const [fold, rowMass, select] = await Promise.all([
      compileFold(gpu, shape),
      compileRowMass(gpu, shape),
      compileEliteSelect(gpu, shape),
    ]);
    return (context) => {
      const { geometry, prompt, scratch, ownRows: textRows } = context;
      const { layers, heads, kvHeads, rows, keys, tailRows, tileRows } = geometry;
      const units = spec.perKvHead ? kvHeads : 1;
      const textStart = rows - textRows;
      const fixed = fixedRows(spec.window, textRows);
      const text = { textStart, textRows, tailRow: tailRows - textRows, tailRows };

      const factors = scratch.numbers("elite factors", tileRows * heads);
      const shares = scoreBuffer(context, "elite shares", units);
      const folded = scoreBuffer(context, "elite importance", units);
      const chosen = scratch.numbers("elite rows", layers * units * textRows);
      const voters = (fixed ?? []).map((place) => textStart + place);
      const countedKeys = markAt(votedKeys(prompt, geometry.paddedKeys), voters);
      const counted = scratch.upload("elite keys", repeat(countedKeys, units));
      const tailVoters = voters.map((row) => row - (rows - tailRows));
      const votes = markAt(new Float32Array(tailRows), tailVoters);
      const gates = scratch.upload("elite gates", repeat(votes, units));
      const lastOnly = markAt(new Float32Array(tailRows), [tailRows - 1]);
      const lastGate = scratch.upload("last gate", lastOnly);
      const isText = spanMask(geometry.paddedKeys, [{ start: textStart, end: rows }]);
      const textKeys = scratch.upload("text keys", isText);
      const scale = units / heads;

      return {
        tile(recorder, tile, { probabilities, isLast }) {
          const { layer, rows: endRow } = tile;
          const mass = { probabilities, factors, tile, tailRows };
          const sum = {
            probabilities,
            weights: factors,
            layer,
            units,
            takes: "sum",
            scale,
          } as const;
          if (isLast && !fixed) {
            rowMass(recorder, { ...mass, counted: textKeys, gates: lastGate, units: 1 });
            fold(recorder, { ...sum, folded: shares, firstRow: endRow - 1, endRow });
            const found = { shares, gates, counted, chosen, layer, units, alpha: spec.alpha };
            select(recorder, { ...found, ...text });
          }
          rowMass(recorder, { ...mass, counted, gates, units });
          fold(recorder, { ...sum, folded, firstRow: 0, endRow });
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
          const importance = readScores(
            context,
            bytes,
            "elite",
            units,
            (layer, unit) => 1 / Math.max(1, elite[layer]![unit]!.length),
          );
          const mask = votedKeys(prompt, keys);
          importance.data.forEach((value, i) => {
            importance.data[i] = value * mask[i % keys]!;
          });
          return { importance, rows: elite };
        },
      };
    };
  },
};

/** Indices within the text of the elite rows, if known beforehand. */
function fixedRows(window: EliteSpec["window"], textRows: number): readonly number[] | undefined {
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

function compileEliteSelect(gpu: Gpu, { keys }: TapShape) {
  return compileCall(
    gpu,
    {
      label: "tap_elite_select",
      code: [eliteSelect],
      access: ["read", "write", "write", "write"],
      params: {
        layer: "u32",
        units: "u32",
        keys: "u32",
        textStart: "u32",
        textRows: "u32",
        tailRow: "u32",
        tailRows: "u32",
        alpha: "f32",
      },
      constants: { WORKGROUP: TAP_WORKGROUP },
    },
    (args: {
      readonly shares: GPUBuffer;
      readonly gates: GPUBuffer;
      readonly counted: GPUBuffer;
      readonly chosen: GPUBuffer;
      readonly layer: number;
      readonly units: number;
      readonly textStart: number;
      readonly textRows: number;
      readonly tailRow: number;
      readonly tailRows: number;
      readonly alpha: number;
    }) => {
      const { shares, gates, counted, chosen, ...params } = args;
      return {
        buffers: [shares, gates, counted, chosen],
        params: { ...params, keys: paddedKeys(keys) },
        groups: [ceilGroups(args.textRows), args.units],
      };
    },
  );
}
