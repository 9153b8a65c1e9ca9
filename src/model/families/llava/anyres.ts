import type { ImageGeometry } from "../../prompt/prompt";

type Size = readonly [width: number, height: number];

/**
 * The resolution that shows most of an image and wastes least, of those that a model was trained on.
 * `select_best_resolution` of `transformers`.
 */
export function bestResolution([width, height]: Size, resolutions: readonly Size[]): Size {
  let best: Size | undefined;
  let [most, leastWaste] = [0, Number.POSITIVE_INFINITY];
  for (const [wide, high] of resolutions) {
    const scale = Math.min(wide / width, high / height);
    const shown = Math.trunc(width * scale) * Math.trunc(height * scale);
    const effective = Math.min(shown, width * height);
    const waste = wide * high - effective;
    if (effective > most || (effective === most && waste < leastWaste)) {
      [most, leastWaste, best] = [effective, waste, [wide, high]];
    }
  }
  return best ?? (resolutions[0] as Size);
}

/** The size of an image that just fits into a resolution. */
export function fittedSize([width, height]: Size, [wide, high]: Size): Size {
  const [x, y] = [wide / width, high / height];
  return x < y
    ? [wide, Math.min(Math.ceil(height * x), high)]
    : [Math.min(Math.ceil(width * y), wide), high];
}

interface Anyres {
  readonly geometry: ImageGeometry;
  readonly arrangement: Uint32Array<ArrayBuffer>;
}

/**
 * LLaVA-NeXT's rows of an image: the whole image's, then those of the tiles put together, without the
 * padding, a newline row behind each line.
 * @param size of the image, in pixels
 * @param grid tiles of the best resolution
 * @param side feature rows along a side of a tile
 */
export function anyresRows(
  [width, height]: Size,
  grid: { readonly rows: number; readonly columns: number },
  side: number,
): Anyres {
  const [allColumns, allRows] = [grid.columns * side, grid.rows * side];
  const isWide = width / height > allColumns / allRows;
  const rounded = (value: number) => Math.trunc(Number(value.toFixed(7)));
  const shown = isWide
    ? rounded(height * (allColumns / width))
    : rounded(width * (allRows / height));
  const padding = Math.floor(((isWide ? allRows : allColumns) - shown) / 2);
  const [top, left] = isWide ? [padding, 0] : [0, padding];
  const [rows, columns] = [allRows - 2 * top, allColumns - 2 * left];
  const newline = (grid.rows * grid.columns + 1) * side ** 2;
  const indices = Array.from({ length: side ** 2 }, (_, i) => i);
  for (let y = top; y < top + rows; y++) {
    for (let x = left; x < left + columns; x++) {
      const tile = 1 + Math.floor(y / side) * grid.columns + Math.floor(x / side);
      indices.push(tile * side ** 2 + (y % side) * side + (x % side));
    }
    indices.push(newline);
  }
  const whole = { gridRows: side, gridColumns: side, box: { x: 0, y: 0, width: 1, height: 1 } };
  // The newline rows are a last column that stands beside the image.
  const box = { x: 0, y: 0, width: (columns + 1) / columns, height: 1 };
  const detail = { gridRows: rows, gridColumns: columns + 1, box };
  return { geometry: { grid, tiles: [whole, detail] }, arrangement: Uint32Array.from(indices) };
}
