import type { ImageGeometry, TileGrid } from "../prompt/imageMarkup";

/**
 * The part of the image in each tile, in prompt order. The image is resized to a whole number of
 * tiles, so the tiles divide it evenly; the last tile shows the whole image. The connector keeps a
 * square's rows in reading order.
 */
export function tiledGeometry(grid: TileGrid, rowsPerTile: number): ImageGeometry {
  const side = Math.round(Math.sqrt(rowsPerTile));
  const rows =
    side ** 2 === rowsPerTile
      ? { gridRows: side, gridColumns: side }
      : { gridRows: 1, gridColumns: rowsPerTile };
  const [width, height] = [1 / grid.columns, 1 / grid.rows];
  const parts = Array.from({ length: grid.rows * grid.columns }, (_, i) => {
    const [row, column] = [Math.floor(i / grid.columns), i % grid.columns];
    return { ...rows, box: { x: column * width, y: row * height, width, height } };
  });
  return { grid, tiles: [...parts, { ...rows, box: { x: 0, y: 0, width: 1, height: 1 } }] };
}
