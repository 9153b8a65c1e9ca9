import type { ResampleFilter } from "@/images/resample";
import type { ModelFiles } from "../../checkpoint/files";
import { ModelError } from "../../modelError";
import type { ImageGeometry } from "../../prompt/imageMarkup";
import { cutTiles, ONE_TILE, tileInput } from "../cutTiles";
import type { ImageProcessor, PixelSize, ProcessedImage, Raster } from "../family";
import {
  checkSquares,
  MOST_TILES,
  type Normalization,
  normalizationOf,
  pillowFilter,
  preprocessorFiles,
  scaled,
} from "../preprocessor";
import { anyresRows, bestResolution, fittedSize } from "./anyres";

type Size = readonly [width: number, height: number];

interface NextProcessorConfig {
  /** Pixels along a side of a tile. */
  readonly tileSize: number;
  readonly resolutions: readonly Size[];
  readonly filter: ResampleFilter;
  readonly normalization: Normalization;
  /** Tiles' worth of rows to which larger images are scaled down. */
  readonly maxTiles?: number;
}

/**
 * LLaVA-NeXT's image processor (https://llava-vl.github.io/blog/2024-01-30-llava-next): the whole image
 * squeezed into one tile, then the image fitted into the best of several resolutions and cut into tiles.
 */
export class NextProcessor implements ImageProcessor {
  readonly filter: ResampleFilter;
  readonly #config: NextProcessorConfig;
  /** Feature rows along a side of a tile. */
  readonly #side: number;

  constructor(config: NextProcessorConfig, side: number) {
    this.filter = config.filter;
    this.#config = config;
    this.#side = side;
  }

  /** @throws ModelError */
  static async load(
    files: ModelFiles,
    tileSize: number,
    side: number,
    maxTiles?: number,
  ): Promise<NextProcessor> {
    const { preprocessor } = await preprocessorFiles(files);
    checkSquares(preprocessor, ["size", "crop_size"], tileSize);
    const pinpoints = preprocessor.image_grid_pinpoints;
    const resolutions = Array.isArray(pinpoints)
      ? pinpoints.map((each) => resolutionOf(each, tileSize))
      : [];
    if (resolutions.length === 0 || resolutions.includes(undefined)) {
      const message = `The model's preprocessor_config.json has no image_grid_pinpoints of up to ${MOST_TILES} whole tiles.`;
      throw new ModelError("badModel", message);
    }
    const config = {
      tileSize,
      resolutions: resolutions as Size[],
      filter: pillowFilter(preprocessor.resample ?? 3),
      normalization: normalizationOf(preprocessor),
      ...(maxTiles === undefined ? {} : { maxTiles }),
    };
    return new NextProcessor(config, side);
  }

  /** Both sizes are made from the image as it is. */
  sizeFor(width: number, height: number): Size {
    return [width, height];
  }

  geometry({ width, height }: PixelSize): ImageGeometry {
    return this.#rows([width, height]).geometry;
  }

  #rows(size: Size) {
    const { tileSize, resolutions, maxTiles } = this.#config;
    const [wide, high] = bestResolution(size, resolutions);
    const grid = { rows: high / tileSize, columns: wide / tileSize };
    return anyresRows(size, grid, this.#side, maxTiles);
  }

  process(image: Raster): ProcessedImage {
    const { tileSize, resolutions } = this.#config;
    const size = [image.width, image.height] as const;
    const [wide, high] = bestResolution(size, resolutions);
    const fitted = scaled(image, fittedSize(size, [wide, high]), this.filter);
    const grid = { rows: high / tileSize, columns: wide / tileSize };
    const padding = {
      left: -Math.floor((wide - fitted.width) / 2),
      top: -Math.floor((high - fitted.height) / 2),
    };
    const whole = scaled(image, [tileSize, tileSize], this.filter);
    const tiles = [
      ...cutTiles(whole, { ...this.#config, grid: ONE_TILE }),
      ...cutTiles(fitted, { ...this.#config, ...padding, grid }),
    ];
    return { ...tileInput(tiles, tileSize), ...this.#rows(size) };
  }
}

/** Files give height before width. Undefined for what is no whole number of tiles, or too many. */
function resolutionOf(pinpoint: unknown, tileSize: number): Size | undefined {
  const sides: readonly unknown[] = Array.isArray(pinpoint) ? pinpoint : [];
  const [height = 0, width = 0] = sides.filter((side) => typeof side === "number");
  const [rows, columns] = [height / tileSize, width / tileSize];
  const isWhole = Number.isInteger(rows) && Number.isInteger(columns) && rows > 0 && columns > 0;
  return sides.length === 2 && isWhole && rows * columns <= MOST_TILES
    ? [width, height]
    : undefined;
}
