import type { ProcessedImage } from "../families/family";
import type { TowerConfig } from "./towerConfig";
import { foldIndices } from "./towerScratch";

/**
 * What each row of the prompt stands for: the sum over the patches that it folds.
 * @param values [tiles × rows of the transformer, width] @param width default 1
 * @returns f32 [rows of the prompt, width]
 */
export function sumsOfRows(
  values: Float32Array,
  config: TowerConfig,
  { tiles, arrangement }: Pick<ProcessedImage, "tiles" | "arrangement">,
  width = 1,
): Float32Array {
  const folded = foldIndices(config, tiles);
  const parts = config.connector.fold ** 2;
  const encoded = new Float32Array((folded.length / parts) * width);
  for (const [i, row] of folded.entries()) {
    const to = Math.floor(i / parts) * width;
    for (let c = 0; c < width; c++) encoded[to + c]! += values[row * width + c] as number;
  }
  if (!arrangement) return encoded;
  const { rows, parts: taps, indices, weights } = arrangement;
  return Float32Array.from({ length: rows * width }, (_, at) => {
    const [row, column] = [Math.floor(at / width), at % width];
    let sum = 0;
    // A newline row stands behind the encoder's rows and has nothing.
    for (let i = row * taps; i < (row + 1) * taps; i++) {
      sum += (weights[i] as number) * (encoded[(indices[i] as number) * width + column] ?? 0);
    }
    return sum;
  });
}

/**
 * Keys of rows, mean over heads.
 * @param keys f32 [heads, stride, headDim] @param rows the first of `stride`
 * @returns f32 [rows, headDim]
 */
export function meanOfHeads(
  keys: Float32Array,
  { heads, headDim }: Pick<TowerConfig, "heads" | "headDim">,
  stride: number,
  rows: number,
): Float32Array {
  return Float32Array.from({ length: rows * headDim }, (_, at) => {
    let sum = 0;
    for (let head = 0; head < heads; head++) sum += keys[head * stride * headDim + at] as number;
    return sum / heads;
  });
}

/**
 * For each row of the prompt the first row of the image whose pixels are the same, or the row itself. Rows
 * that blend several patches and rows that end lines equal no other.
 * @param side of a feature row, in pixels
 * @returns u32 [rows]
 */
export function firstEqualRows(image: ProcessedImage, side: number): Uint32Array {
  const { arrangement, tiles, width, height } = image;
  const encoded = tiles * Math.floor(width / side) * Math.floor(height / side);
  const rows = arrangement?.rows ?? encoded;
  const isSingle = (arrangement?.parts ?? 1) === 1;
  const seen = new Map<string, number>();
  return Uint32Array.from({ length: rows }, (_, row) => {
    const place = arrangement ? (arrangement.indices[row] as number) : row;
    if (!isSingle || place >= encoded) return row;
    const pixels = pixelsOf(image, side, place);
    const first = seen.get(pixels) ?? row;
    seen.set(pixels, first);
    return first;
  });
}

/** The pixels of a row of the encoder's output, as a string of their bits. */
function pixelsOf(
  { pixelValues, tiles, width, height }: ProcessedImage,
  side: number,
  place: number,
): string {
  const [columns, rows] = [Math.floor(width / side), Math.floor(height / side)];
  const channels = pixelValues.length / (tiles * width * height);
  const tile = Math.floor(place / (rows * columns));
  const [top, left] = [(Math.floor(place / columns) % rows) * side, (place % columns) * side];
  const lines = Array.from({ length: channels * side }, (_, line) => {
    const [channel, y] = [Math.floor(line / side), line % side];
    const from = ((tile * channels + channel) * height + top + y) * width + left;
    const bits = new Uint16Array(pixelValues.slice(from, from + side).buffer);
    return String.fromCharCode(...bits);
  });
  return lines.join("");
}
