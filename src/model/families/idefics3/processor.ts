import type { ResampleFilter } from "@/images/resample";
import { shown } from "@/text/shown";
import type { ModelFiles } from "../../checkpoint/files";
import { ModelError } from "../../modelError";
import type { ImageGeometry } from "../../prompt/imageMarkup";
import { cutTiles, ONE_TILE, tileInput } from "../cutTiles";
import type { ImageProcessor, PixelSize, ProcessedImage, Raster } from "../family";
import { MOST_TILES, preprocessorFiles, scaled } from "../preprocessor";
import { tiledGeometry } from "../tiledGeometry";
import { type Idefics3ProcessorConfig, parseProcessorConfig } from "./processorConfig";

/** Input and output sizes of a vision encoder for one tile. */
export interface TileEncoder {
  /** Pixels of an edge. */
  readonly imageSize: number;
  /** Number of features, which become rows of the prompt. */
  readonly rows: number;
  /** Rows that the decoder can hold. */
  readonly contextLength: number;
}

type Size = readonly [width: number, height: number];

/**
 * The image processor of Idefics3 and SmolVLM, as `transformers` runs it: every resize is Pillow's,
 * rounded to bytes. (Transformers.js resizes with a plain bilinear filter.)
 */
export class Idefics3Processor implements ImageProcessor {
  readonly filter: ResampleFilter;
  readonly #config: Idefics3ProcessorConfig;
  readonly #rowsPerTile: number;

  constructor(config: Idefics3ProcessorConfig, rowsPerTile: number) {
    this.filter = config.filter;
    this.#config = config;
    this.#rowsPerTile = rowsPerTile;
  }

  /** @throws ModelError, also if the tiles do not fit the vision encoder */
  static async load(files: ModelFiles, encoder: TileEncoder): Promise<Idefics3Processor> {
    const { preprocessor, processor } = await preprocessorFiles(files);
    const config = parseProcessorConfig(preprocessor);
    const rows = processor?.image_seq_len ?? encoder.rows;
    if (config.tileSize !== encoder.imageSize) {
      const sizes = `${config.tileSize} pixels, but its vision encoder takes ${encoder.imageSize}`;
      throw new ModelError(
        "badModel",
        `The model's preprocessor_config.json cuts tiles of ${sizes}.`,
      );
    }
    if (rows !== encoder.rows) {
      const counts = `${shown(rows)} rows per tile, but its vision encoder gives ${encoder.rows} features`;
      throw new ModelError("badModel", `The model's processor_config.json has ${counts}.`);
    }
    checkContext(config, encoder);
    return new Idefics3Processor(config, encoder.rows);
  }

  /** Frames are not cut into tiles. */
  frames(): ImageProcessor {
    return new Idefics3Processor({ ...this.#config, splits: false }, this.#rowsPerTile);
  }

  /** The size of the first scaling: given longest edge, the other edge even. */
  sizeFor(width: number, height: number): Size {
    const { longestEdge } = this.#config;
    if (longestEdge === undefined) return [width, height];
    const size = withLongest([width, height], longestEdge, (edge) => edge + (edge % 2));
    return Math.max(...size) > MAX_EDGE ? withLongest(size, MAX_EDGE, (edge) => edge) : size;
  }

  geometry(size: PixelSize): ImageGeometry {
    const { tileSize } = this.#config;
    const [columns, rows] = this.#stretchedSize(size).map((edge) => edge / tileSize) as [
      number,
      number,
    ];
    const grid = columns * rows > 1 ? { rows, columns } : { rows: 0, columns: 0 };
    return tiledGeometry(grid, this.#rowsPerTile);
  }

  /** Cuts pixels of size `sizeFor` into tiles: squares of the encoder's size. */
  process(image: Raster): ProcessedImage {
    const { tileSize } = this.#config;
    const size = this.#stretchedSize(image);
    const stretched = scaled(image, size, this.filter);
    const grid = { rows: size[1] / tileSize, columns: size[0] / tileSize };
    const tiles = cutTiles(stretched, { ...this.#config, grid });
    if (tiles.length > 1) {
      const whole = scaled(stretched, [tileSize, tileSize], this.filter);
      tiles.push(...cutTiles(whole, { ...this.#config, grid: ONE_TILE }));
    }
    return { ...tileInput(tiles, tileSize), geometry: this.geometry(image) };
  }

  #stretchedSize(size: PixelSize): Size {
    const { tileSize, splits } = this.#config;
    return splits ? wholeTiles(size, tileSize) : [tileSize, tileSize];
  }
}

/** @throws ModelError if no square image fits into the context */
function checkContext(config: Idefics3ProcessorConfig, { rows, contextLength }: TileEncoder): void {
  const { longestEdge, tileSize, splits } = config;
  if (longestEdge === undefined || !splits) return;
  const tiles = Math.ceil(Math.min(longestEdge, MAX_EDGE) / tileSize) ** 2 + 1;
  if (tiles * rows <= contextLength && tiles <= MOST_TILES) return;
  const size = `scales images to size.longest_edge ${longestEdge}, which are ${tiles} tiles`;
  const most = `${MOST_TILES} tiles are the limit, and the rows that its context holds`;
  const message = `The model's preprocessor_config.json ${size}; ${most}.`;
  throw new ModelError("badModel", message);
}

/** Upper bound of an edge for any processor configuration. */
const MAX_EDGE = 4096;

/** The smallest size of whole tiles; the longer side decides first. */
function wholeTiles({ width, height }: PixelSize, tileSize: number): Size {
  const up = (pixels: number) => Math.ceil(pixels / tileSize) * tileSize;
  return withLongest([width, height], up(Math.max(width, height)), (edge) => up(Math.max(1, edge)));
}

/**
 * A size with another longest edge and nearly the same aspect ratio, in the arithmetic of
 * `transformers`.
 */
function withLongest(
  [width, height]: Size,
  longest: number,
  round: (edge: number) => number,
): Size {
  const aspect = width / height;
  if (width >= height) return [longest, Math.max(1, round(Math.trunc(longest / aspect)))];
  return [Math.max(1, round(Math.trunc(longest * aspect))), longest];
}
