import type { TileGrid } from "../prompt/imageMarkup";
import type { ProcessedImage, Raster } from "./family";
import { joinTiles, type Normalization, toPixelValues } from "./preprocessor";

export const ONE_TILE: TileGrid = { rows: 1, columns: 1 };

interface TileCut {
  readonly grid: TileGrid;
  /** Pixels along a side of a tile. */
  readonly tileSize: number;
  readonly normalization: Normalization;
  /** Place of the first tile in the image, in pixels; default: its corner. */
  readonly left?: number;
  readonly top?: number;
}

/** Square tiles of an image in reading order, f32 [3, tileSize, tileSize] each; black beyond the image. */
export function cutTiles(image: Raster, cut: TileCut): Float32Array[] {
  const { grid, tileSize, normalization, left = 0, top = 0 } = cut;
  return Array.from({ length: grid.rows * grid.columns }, (_, tile) => {
    const [row, column] = [Math.floor(tile / grid.columns), tile % grid.columns];
    const place = { left: left + column * tileSize, top: top + row * tileSize };
    return toPixelValues(image, { ...place, width: tileSize, height: tileSize }, normalization);
  });
}

/** An encoder's input of these tiles. */
export function tileInput(
  tiles: readonly Float32Array[],
  tileSize: number,
): Pick<ProcessedImage, "pixelValues" | "tiles" | "height" | "width"> {
  return {
    pixelValues: joinTiles(tiles),
    tiles: tiles.length,
    height: tileSize,
    width: tileSize,
  };
}
