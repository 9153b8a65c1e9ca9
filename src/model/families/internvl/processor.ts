import type { ResampleFilter } from "@/images/resample";
import type { JsonObject, ModelFiles } from "../../checkpoint/files";
import { ModelError } from "../../modelError";
import type { ImageGeometry, TileGrid } from "../../prompt/imageMarkup";
import { cutTiles, ONE_TILE, tileInput } from "../cutTiles";
import type { ImageProcessor, PixelSize, ProcessedImage, Raster } from "../family";
import {
  checkCount,
  checkOperations,
  checkSquares,
  MOST_TILES,
  type Normalization,
  normalizationOf,
  pillowFilter,
  preprocessorFiles,
  scaled,
} from "../preprocessor";
import { tiledGeometry } from "../tiledGeometry";

type Size = readonly [width: number, height: number];

interface TileLimits {
  /** Pixels along a side of a tile. */
  readonly tileSize: number;
  readonly minTiles: number;
  readonly maxTiles: number;
}

/**
 * InternVL's image processor: the image stretched to the grid of tiles that is closest in aspect ratio,
 * then the whole image in one tile, if there is more than one.
 */
export class InternVlProcessor implements ImageProcessor {
  readonly filter: ResampleFilter;
  readonly #normalization: Normalization;
  readonly #limits: TileLimits;
  readonly #config: JsonObject;
  /** Feature rows along a side of a tile. */
  readonly #side: number;

  constructor(config: JsonObject, tileSize: number, side: number) {
    checkOperations(config, ["do_resize"]);
    checkSquares(config, ["size", "crop_size"], tileSize);
    this.filter = pillowFilter(config.resample ?? 3);
    this.#normalization = normalizationOf(config);
    this.#limits = {
      tileSize,
      minTiles: tileCount(config, "min_patches", 1),
      maxTiles: tileCount(config, "max_patches", 12),
    };
    if (this.#limits.minTiles > this.#limits.maxTiles)
      throw bad("has more min_patches than max_patches");
    this.#side = side;
    this.#config = config;
  }

  /** @throws ModelError */
  static async load(files: ModelFiles, tileSize: number, side: number): Promise<InternVlProcessor> {
    const { preprocessor, processor } = await preprocessorFiles(files);
    checkCount(processor, "image_seq_length", side ** 2);
    return new InternVlProcessor(preprocessor, tileSize, side);
  }

  /** One tile. */
  frames(): ImageProcessor {
    const { tileSize } = this.#limits;
    return new InternVlProcessor(
      { ...this.#config, min_patches: 1, max_patches: 1 },
      tileSize,
      this.#side,
    );
  }

  /** Both sizes are made from the image as it is. */
  sizeFor(width: number, height: number): Size {
    return [width, height];
  }

  geometry({ width, height }: PixelSize): ImageGeometry {
    const grid = closestGrid([width, height], this.#limits);
    const isCut = grid.rows * grid.columns > 1;
    return tiledGeometry(isCut ? grid : { rows: 0, columns: 0 }, this.#side ** 2);
  }

  process(image: Raster): ProcessedImage {
    const { tileSize } = this.#limits;
    const grid = closestGrid([image.width, image.height], this.#limits);
    const cut = { tileSize, normalization: this.#normalization };
    const size = [grid.columns * tileSize, grid.rows * tileSize] as const;
    const tiles = cutTiles(scaled(image, size, this.filter), { ...cut, grid });
    if (tiles.length > 1) {
      const whole = scaled(image, [tileSize, tileSize], this.filter);
      tiles.push(...cutTiles(whole, { ...cut, grid: ONE_TILE }));
    }
    return { ...tileInput(tiles, tileSize), geometry: this.geometry(image) };
  }
}

/**
 * The grid of tiles whose aspect ratio is closest to the image's; of equal ones the last whose area is
 * less than twice the image's. `get_optimal_tiled_canvas` of `transformers`.
 */
export function closestGrid([width, height]: Size, limits: TileLimits): TileGrid {
  const { tileSize, minTiles, maxTiles } = limits;
  const sides = Array.from({ length: maxTiles }, (_, i) => i + 1);
  const grids = sides
    .flatMap((columns) => sides.map((rows) => ({ rows, columns })))
    .filter(({ rows, columns }) => rows * columns >= minTiles && rows * columns <= maxTiles)
    .sort((a, b) => a.rows * a.columns - b.rows * b.columns);
  let best = ONE_TILE;
  let leastDifference = Number.POSITIVE_INFINITY;
  for (const grid of grids) {
    const difference = Math.abs(width / height - grid.columns / grid.rows);
    const isFilled = width * height > 0.5 * tileSize ** 2 * grid.rows * grid.columns;
    if (difference < leastDifference || (difference === leastDifference && isFilled)) best = grid;
    leastDifference = Math.min(leastDifference, difference);
  }
  return best;
}

function tileCount(config: JsonObject, field: string, fallback: number): number {
  const value = config[field] ?? fallback;
  const isCount = typeof value === "number" && Number.isInteger(value);
  if (isCount && value > 0 && value <= MOST_TILES) return value;
  throw bad(`has no number of tiles up to ${MOST_TILES} as ${field}`);
}

function bad(what: string): ModelError {
  return new ModelError("badModel", `The model's preprocessor_config.json ${what}.`);
}
