import type { ImageGeometry, TileGrid } from "../../prompt/imageMarkup";
import type { RowArrangement } from "../family";

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
  readonly arrangement: RowArrangement;
}

/**
 * LLaVA-NeXT's rows of an image: the whole image's, then those of the tiles put together, without the
 * padding, a newline row behind each line. LLaVA-OneVision scales these lines down to about `maxTiles`
 * tiles' worth of rows.
 * @param size of the image, in pixels
 * @param grid tiles of the best resolution
 * @param side feature rows along a side of a tile
 */
export function anyresRows(
  size: Size,
  grid: TileGrid,
  side: number,
  maxTiles = Number.POSITIVE_INFINITY,
): Anyres {
  const seen = unpadded(size, grid, side);
  const ratio = Math.sqrt((seen.rows * seen.columns) / (maxTiles * side ** 2));
  const isScaled = ratio > 1.1;
  const rows = isScaled ? Math.floor(seen.rows / ratio) : seen.rows;
  const columns = isScaled ? Math.floor(seen.columns / ratio) : seen.columns;
  const lines = new RowList(isScaled ? 4 : 1);
  for (let row = 0; row < side ** 2; row++) lines.add([row, 1]);
  const rowAt = (y: number, x: number) => {
    const [line, column] = [seen.top + y, seen.left + x];
    const tile = 1 + Math.floor(line / side) * grid.columns + Math.floor(column / side);
    return tile * side ** 2 + (line % side) * side + (column % side);
  };
  const newline = (grid.rows * grid.columns + 1) * side ** 2;
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      const taps = isScaled ? bilinear(seen, { rows, columns }, y, x) : [[y, x, 1] as const];
      lines.add(...taps.map(([fromY, fromX, weight]) => [rowAt(fromY, fromX), weight] as const));
    }
    lines.add([newline, 1]);
  }
  const whole = { gridRows: side, gridColumns: side, box: { x: 0, y: 0, width: 1, height: 1 } };
  // The newline rows are a last column that stands beside the image.
  const box = { x: 0, y: 0, width: (columns + 1) / columns, height: 1 };
  const detail = { gridRows: rows, gridColumns: columns + 1, box, endsLines: true };
  return { geometry: { grid, tiles: [whole, detail] }, arrangement: lines.arrangement };
}

interface Window {
  readonly top: number;
  readonly left: number;
  readonly rows: number;
  readonly columns: number;
}

/** The feature rows of all tiles that show the image, not its padding. */
function unpadded([width, height]: Size, grid: TileGrid, side: number): Window {
  const [allColumns, allRows] = [grid.columns * side, grid.rows * side];
  const isWide = width / height > allColumns / allRows;
  const rounded = (value: number) => Math.trunc(Number(value.toFixed(7)));
  const shown = isWide
    ? rounded(height * (allColumns / width))
    : rounded(width * (allRows / height));
  const padding = Math.floor(((isWide ? allRows : allColumns) - shown) / 2);
  const [top, left] = isWide ? [padding, 0] : [0, padding];
  return { top, left, rows: allRows - 2 * top, columns: allColumns - 2 * left };
}

/**
 * The four places of a grid that a place of a smaller one blends, with their weights: bilinear, corners
 * not aligned, as PyTorch's `interpolate`.
 */
export function bilinear(
  from: TileGrid,
  to: TileGrid,
  y: number,
  x: number,
): readonly (readonly [y: number, x: number, weight: number])[] {
  const along = (at: number, size: number, newSize: number) => {
    const place = Math.max(0, ((at + 0.5) * size) / newSize - 0.5);
    const first = Math.floor(place);
    return { first, next: Math.min(first + 1, size - 1), part: place - first };
  };
  const [down, across] = [along(y, from.rows, to.rows), along(x, from.columns, to.columns)];
  return [
    [down.first, across.first, (1 - down.part) * (1 - across.part)],
    [down.first, across.next, (1 - down.part) * across.part],
    [down.next, across.first, down.part * (1 - across.part)],
    [down.next, across.next, down.part * across.part],
  ];
}

/** Collects weighted rows. */
export class RowList {
  readonly #parts: number;
  readonly #indices: number[] = [];
  readonly #weights: number[] = [];

  constructor(parts: number) {
    this.#parts = parts;
  }

  /** At most as many as there are parts; the others weigh nothing. */
  add(...taps: readonly (readonly [row: number, weight: number])[]): void {
    for (let part = 0; part < this.#parts; part++) {
      const [row, weight] = taps[part] ?? [0, 0];
      this.#indices.push(row);
      this.#weights.push(weight);
    }
  }

  get arrangement(): RowArrangement {
    return {
      rows: this.#indices.length / this.#parts,
      parts: this.#parts,
      indices: Uint32Array.from(this.#indices),
      weights: Float32Array.from(this.#weights),
    };
  }
}
