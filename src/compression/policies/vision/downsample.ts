import type { VisualGrid } from "../../types";
import { needVision, visionPolicy } from "../../visionPolicy";

/**
 * A coarser grid: the features of each block of rows are averaged before the prefill. A baseline, as
 * simple as it is hard to beat at the same number of rows; no paper.
 *
 * A grid of R × C rows becomes r × c: the largest with r · c ≤ retention · R · C and r / c nearest to
 * R / C. Block (i, j) has the rows ⌊iR / r⌋ … ⌊(i + 1)R / r⌋ − 1, columns alike; its mean stands at the
 * position of its middle row.
 */
export const downsample = visionPolicy({
  id: "downsample",
  label: "Downsampling",
  summary: "Averages neighbouring image rows to a coarser grid, before the prefill.",
  options: {},
  beforePrefill: ["grids"],
  count: "A coarser grid rarely has exactly the retention's share.",
  choose(input) {
    const grids = needVision(input, "grids");
    const blocks: number[][] = [];
    let first = 0;
    for (const grid of grids) {
      for (const block of gridBlocks(grid, input.retention)) {
        blocks.push(block.map((row) => first + row));
      }
      first += grid.gridRows * grid.gridColumns;
    }
    const into = new Int32Array(first).fill(-1);
    const keep = blocks.map((block) => {
      const middle = block[Math.floor(block.length / 2)] as number;
      for (const row of block) if (row !== middle) into[row] = middle;
      return middle;
    });
    return { keep: keep.sort((a, b) => a - b), into };
  },
});

/** The rows of each block, in reading order. A column that ends the lines keeps one row per line. */
export function gridBlocks(grid: VisualGrid, retention: number): readonly number[][] {
  const columns = grid.gridColumns - Number(grid.endsLines ?? false);
  const [down, across] = coarser(grid.gridRows, columns, retention);
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

/** Of the widest grids within the share, one per number of lines, the one nearest in ratio of sides. */
function coarser(rows: number, columns: number, share: number): readonly [number, number] {
  const total = Math.max(1, Math.floor(share * rows * columns));
  const loss = ([down, across]: readonly [number, number]) =>
    Math.abs(Math.log((down * columns) / (across * rows)));
  const grids = Array.from({ length: Math.min(rows, total) }, (_, i) => {
    return [i + 1, Math.min(columns, Math.floor(total / (i + 1)))] as const;
  });
  return grids.reduce((best, grid) => (loss(grid) < loss(best) ? grid : best));
}
