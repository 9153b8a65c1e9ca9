/** An image's patches. */
export interface PatchGrid {
  readonly rows: number;
  readonly columns: number;
}

/** Rows that attend to each other. */
export interface RowRange {
  readonly first: number;
  readonly rows: number;
}

/** The order in which a tower takes an image's patches. */
export interface GridOrder {
  /** The patch of each row, in reading order. u32 [rows] */
  readonly patches: Uint32Array<ArrayBuffer>;
  readonly windows: readonly RowRange[];
  /** The place of each feature row, which are read in reading order. u32 [rows / fold²] */
  readonly features: Uint32Array<ArrayBuffer>;
}

/**
 * Patches that become one feature row follow each other, and so do the features of a window. Windows at
 * the right and lower edge are smaller. Without `side`, one window holds the image.
 * @param side of a window, in features
 */
export function gridOrder(grid: PatchGrid, fold: number, side?: number): GridOrder {
  const [rows, columns] = [grid.rows / fold, grid.columns / fold];
  const [high, wide] = [side ?? rows, side ?? columns];
  const cells: number[] = [];
  const windows: RowRange[] = [];
  for (let top = 0; top < rows; top += high) {
    for (let left = 0; left < columns; left += wide) {
      const first = cells.length;
      for (let y = top; y < Math.min(top + high, rows); y++) {
        for (let x = left; x < Math.min(left + wide, columns); x++) cells.push(y * columns + x);
      }
      windows.push({ first: first * fold ** 2, rows: (cells.length - first) * fold ** 2 });
    }
  }
  const features = new Uint32Array(cells.length);
  for (const [place, cell] of cells.entries()) features[cell] = place;
  const patches = cells.flatMap((cell) => {
    const [top, left] = [Math.floor(cell / columns) * fold, (cell % columns) * fold];
    return Array.from({ length: fold ** 2 }, (_, i) => {
      return (top + Math.floor(i / fold)) * grid.columns + left + (i % fold);
    });
  });
  return { patches: Uint32Array.from(patches), windows, features };
}

/** Four rows of a table and their weights, for each patch in reading order. */
interface PositionTaps {
  /** u32 [patches, 4] */
  readonly indices: Uint32Array<ArrayBuffer>;
  /** f32 [patches, 4] */
  readonly weights: Float32Array<ArrayBuffer>;
}

/**
 * Bilinear interpolation of a square table of positions to an image's patches, so that the corners of both
 * meet (`align_corners`).
 * @param side of the table
 */
export function positionTaps(grid: PatchGrid, side: number): PositionTaps {
  const xs = axisTaps(grid.columns, side);
  const pairs = axisTaps(grid.rows, side).flatMap((y) => xs.map((x) => [y, x] as const));
  const rows = pairs.flatMap(([y, x]) =>
    [y.low, y.high].flatMap((tap) => [tap * side + x.low, tap * side + x.high]),
  );
  const weights = pairs.flatMap(([y, x]) =>
    [1 - y.rest, y.rest].flatMap((weight) => [weight * (1 - x.rest), weight * x.rest]),
  );
  return { indices: Uint32Array.from(rows), weights: Float32Array.from(weights) };
}

interface AxisTaps {
  readonly low: number;
  readonly high: number;
  /** Weight of `high`. */
  readonly rest: number;
}

/** Rounded to f32 where PyTorch rounds. */
function axisTaps(size: number, side: number): readonly AxisTaps[] {
  return Array.from({ length: size }, (_, index) => {
    const source = Math.fround((index * (side - 1)) / Math.max(size - 1, 1));
    const low = Math.floor(source);
    const rest = source - low;
    return { low, high: Math.min(low + 1, side - 1), rest };
  });
}
