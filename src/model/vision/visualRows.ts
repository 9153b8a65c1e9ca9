import type { ProcessedImage } from "../families/family";
import type { TowerConfig } from "./towerConfig";
import { foldIndices } from "./towerScratch";

/**
 * The attention that each row of the prompt stands for: the sum over the patches that it folds.
 * @param received [tiles × rows of the transformer]
 */
export function attentionOfRows(
  received: Float32Array,
  config: TowerConfig,
  { tiles, arrangement }: Pick<ProcessedImage, "tiles" | "arrangement">,
): Float32Array {
  const folded = foldIndices(config, tiles);
  const parts = config.connector.fold ** 2;
  const encoded = new Float32Array(folded.length / parts);
  for (const [i, row] of folded.entries()) {
    encoded[Math.floor(i / parts)]! += received[row] as number;
  }
  if (!arrangement) return encoded;
  const { rows, parts: taps, indices, weights } = arrangement;
  return Float32Array.from({ length: rows }, (_, row) => {
    let sum = 0;
    // A newline row stands behind the encoder's rows and receives nothing.
    for (let i = row * taps; i < (row + 1) * taps; i++) {
      sum += (weights[i] as number) * (encoded[indices[i] as number] ?? 0);
    }
    return sum;
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
