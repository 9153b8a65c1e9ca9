import type { EliteSpec, EliteVotes } from "@/compression/taps/elite";
import { spanMask, votedKeys } from "@/compression/taps/prompt";
import type { Gpu } from "@/gpu/gpu";
import { compileCall } from "@/gpu/kernels/common/kernelCall";
import { readScores, scoreBuffer } from "../output";
import { ceilGroups, compileFold, compileRowMass, TAP_WORKGROUP } from "../shared/kernels";
import { paddedKeys, type TapContext, type TapKernels, type TapShape } from "../tap";
import eliteSelect from "./tap_elite_select.wgsl?raw";

/**
 * The last row's attention to the text rows names the elite rows; each elite row's attention is then
 * renormalised over the voted keys and the elite rows up to itself, and summed. Only importances and the
 * set leave the GPU.
 */
export const eliteTap: TapKernels<EliteSpec, EliteVotes> = {
  // There is always an elite row: for a prompt that ends in an image, it is the last row.
  tailRows: (_, { rows, textStart }) => Math.max(rows - textStart, 1),
  async prepare(gpu, shape, spec) {
    const [fold, rowMass, select] = await Promise.all([
      compileFold(gpu, shape),
      compileRowMass(gpu, shape),
      compileEliteSelect(gpu, shape),
    ]);
    return (context) => {
      const { geometry, ownRows: textRows } = context;
      const { heads, kvHeads, rows, tailRows } = geometry;
      const units = spec.perKvHead ? kvHeads : 1;
      const fixed = fixedRows(spec.window, textRows);
      const text = {
        textStart: rows - textRows,
        textRows,
        tailRow: tailRows - textRows,
        tailRows,
      };
      const votes: Votes = { textStart: text.textStart, textRows, units, fixed };
      const { shares, folded, chosen, ...buffers } = voteBuffers(context, votes);
      const { factors, counted, gates, lastGate, textKeys } = buffers;

      return {
        block(recorder, block, { probabilities, isLast }) {
          const { layer, rows: endRow } = block;
          const mass = { probabilities, factors, block, tailRows };
          const over = { probabilities, weights: factors, layer, units, scale: units / heads };
          const sum = { ...over, takes: "sum" } as const;
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
        take: ([importance, isElite]) => readVotes(context, votes, importance, isElite),
      };
    };
  },
};

/** Which text rows vote, and in how many units (all heads of a layer, or each KV head). */
interface Votes {
  readonly textStart: number;
  readonly textRows: number;
  readonly units: number;
  /** Indices within the text of the elite rows, if known before the prefill. */
  readonly fixed: readonly number[] | undefined;
}

/** Scores, [layers, units, padded keys]; elite rows, [layers, units, text rows]; masks of keys and rows. */
function voteBuffers(context: TapContext, { textStart, textRows, units, fixed = [] }: Votes) {
  const { geometry, prompt, scratch } = context;
  const { layers, heads, rows, tailRows, blockRows, paddedKeys } = geometry;
  const voters = fixed.map((place) => textStart + place);
  const countedKeys = markAt(votedKeys(prompt, paddedKeys), voters);
  const tailVoters = voters.map((row) => row - (rows - tailRows));
  const gates = markAt(new Float32Array(tailRows), tailVoters);
  const lastGate = markAt(new Float32Array(tailRows), [tailRows - 1]);
  const textKeys = spanMask(paddedKeys, [{ start: textStart, end: rows }]);
  return {
    factors: scratch.numbers("elite factors", blockRows * heads),
    shares: scoreBuffer(context, "elite shares", units),
    folded: scoreBuffer(context, "elite importance", units),
    chosen: scratch.numbers("elite rows", layers * units * textRows),
    counted: scratch.upload("elite keys", repeat(countedKeys, units)),
    gates: scratch.upload("elite gates", repeat(gates, units)),
    lastGate: scratch.upload("last gate", lastGate),
    textKeys: scratch.upload("text keys", textKeys),
  };
}

/** Mean votes per key, and the rows that voted. @throws TapError */
function readVotes(
  context: TapContext,
  { textStart, textRows, units, fixed }: Votes,
  sums: ArrayBuffer | undefined,
  flags: ArrayBuffer | undefined,
): EliteVotes {
  const { layers, keys } = context.geometry;
  const isElite = new Uint32Array(flags as ArrayBuffer);
  const rows = Array.from({ length: layers }, (_, layer) =>
    Array.from({ length: units }, (_, unit) => {
      const first = (layer * units + unit) * textRows;
      const places = fixed ?? [...Array(textRows).keys()].filter((i) => isElite[first + i]);
      return Uint32Array.from(places, (place) => textStart + place);
    }),
  );
  const share = (layer: number, unit: number) => 1 / Math.max(1, rows[layer]![unit]!.length);
  const importance = readScores(context, sums, { name: "elite", heads: units, factor: share });
  const mask = votedKeys(context.prompt, keys);
  importance.data.forEach((value, i) => {
    importance.data[i] = value * mask[i % keys]!;
  });
  return { importance, rows };
}

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
