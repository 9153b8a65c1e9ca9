import type { RowScores } from "@/compression/taps/tap";
import type { TapContext } from "./tap";

/** A tap holds a number that is not finite; the message names the layer. */
export class TapError extends Error {
  override readonly name = "TapError";
}

/** A buffer for [layers, units, padded keys], as `readScores` reads it. */
export function scoreBuffer(
  { geometry, scratch }: TapContext,
  name: string,
  units: number,
): GPUBuffer {
  return scratch.numbers(name, geometry.layers * units * geometry.paddedKeys);
}

/** Scores in the padded layout of `scoreBuffer`. */
interface PaddedScores {
  /** Of the tap, in errors. */
  readonly name: string;
  /** Units of a layer. */
  readonly heads: number;
  /** What the scores are multiplied by; default: 1. */
  readonly factor?: (layer: number, head: number) => number;
}

/** Scores without their padding: [layers, heads, keys]. @throws TapError */
export function readScores(
  { geometry }: TapContext,
  bytes: ArrayBuffer | undefined,
  { name, heads, factor = () => 1 }: PaddedScores,
): RowScores {
  const { layers, keys: rows, paddedKeys } = geometry;
  const padded = new Float32Array(bytes as ArrayBuffer);
  const data = new Float32Array(layers * heads * rows);
  for (let layer = 0; layer < layers; layer++) {
    for (let head = 0; head < heads; head++) {
      const index = layer * heads + head;
      const scale = factor(layer, head);
      for (let row = 0; row < rows; row++) {
        data[index * rows + row] = (padded[index * paddedKeys + row] as number) * scale;
      }
    }
  }
  checkFinite(name, data, layers);
  return { layers, heads, rows, data };
}

/** @param data [layers, …] @throws TapError that names the layer of the first number that is not finite */
export function checkFinite(name: string, data: Float32Array, layers: number): void {
  const bad = data.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    const layer = Math.floor((bad * layers) / data.length);
    throw new TapError(`layer ${layer}: the tap ${name} holds ${data[bad]}`);
  }
}
