import type { SmallerGrid, VisualGrid } from "../types";

/** The rows of each block, in reading order. A column that ends the lines keeps one row per line. */
export function gridBlocks(
  grid: VisualGrid,
  [down, across]: readonly [rows: number, columns: number],
): readonly number[][] {
  const columns = columnsOf(grid);
  const range = (i: number, parts: number, size: number) => {
    const [from, to] = [Math.floor((i * size) / parts), Math.floor(((i + 1) * size) / parts)];
    return Array.from({ length: to - from }, (_, k) => from + k);
  };
  return Array.from({ length: down }, (_, i) => {
    const lines = range(i, down, grid.gridRows);
    const cells = Array.from({ length: across }, (_, j) =>
      lines.flatMap((y) => range(j, across, columns).map((x) => y * grid.gridColumns + x)),
    );
    return grid.endsLines ? [...cells, lines.map((y) => y * grid.gridColumns + columns)] : cells;
  }).flat();
}

function columnsOf({ gridColumns, endsLines }: VisualGrid): number {
  return gridColumns - Number(endsLines ?? false);
}

/** Places of the rows that end the lines in which one of `keep` is, over all grids. */
export function lineEnds(grids: readonly VisualGrid[], keep: readonly number[]): readonly number[] {
  let first = 0;
  return grids.flatMap(({ gridRows, gridColumns, endsLines }) => {
    const start = first;
    first += gridRows * gridColumns;
    if (!endsLines) return [];
    const own = keep.filter((place) => place >= start && place < first);
    const lines = new Set(own.map((place) => Math.floor((place - start) / gridColumns)));
    return Array.from(lines, (line) => start + (line + 1) * gridColumns - 1);
  });
}

/** Of the widest grids within the share, one per number of lines, the one nearest in ratio of sides. */
export function coarser(grid: VisualGrid, share: number): SmallerGrid {
  const { gridRows: rows } = grid;
  const columns = columnsOf(grid);
  const total = Math.max(1, Math.floor(share * rows * columns));
  const loss = ([down, across]: readonly [number, number]) =>
    Math.abs(Math.log((down * columns) / (across * rows)));
  const grids = Array.from({ length: Math.min(rows, total) }, (_, i) => {
    return [i + 1, Math.min(columns, Math.floor(total / (i + 1)))] as const;
  });
  return grids.reduce((best, grid) => (loss(grid) < loss(best) ? grid : best));
}
