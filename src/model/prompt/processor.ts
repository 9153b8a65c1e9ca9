import { resample } from "@/images/resample";
import type { JsonObject, ModelFiles } from "../checkpoint/files";
import { ModelError } from "../modelError";
import { type ProcessorConfig, parseProcessorConfig } from "./processorConfig";
import type { TileGrid } from "./prompt";

/** Input of the vision encoder for one image. */
export interface ProcessedImage {
  /** f32 [tiles, 3, height, width] */
  readonly pixelValues: Float32Array;
  readonly tiles: number;
  readonly height: number;
  readonly width: number;
  readonly grid: TileGrid;
}

/** Opaque pixels, RGBA, [height, width, 4]. */
export type Pixels = Pick<ImageData, "data" | "width" | "height">;

/** Part of an image, in fractions of its width and height. */
export interface TileBox {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

type Size = readonly [width: number, height: number];

/**
 * The image processor of Idefics3 and SmolVLM, as `transformers` runs it: every resize is Pillow's
 * LANCZOS, rounded to bytes. (Transformers.js resizes with a plain bilinear filter.)
 */
export class ImageProcessor {
  /**
   * Visual rows of one tile, from `processor_config.json`; undefined if the encoder's output
   * decides.
   */
  readonly rowsPerTile: number | undefined;
  readonly #config: ProcessorConfig;

  constructor(config: ProcessorConfig, rowsPerTile?: number) {
    this.#config = config;
    this.rowsPerTile = rowsPerTile;
  }

  /** @throws ModelError */
  static async load(files: ModelFiles): Promise<ImageProcessor> {
    const [own, shared] = await Promise.all([
      files.optionalJson("preprocessor_config.json"),
      files.optionalJson("processor_config.json"),
    ]);
    // Newer checkpoints keep both in one file.
    const config = own ?? (shared?.image_processor as JsonObject | undefined);
    if (!config) {
      const message = "The model directory has no file preprocessor_config.json.";
      throw new ModelError("missingFile", message);
    }
    const rows = shared?.image_seq_len;
    return new ImageProcessor(
      parseProcessorConfig(config),
      typeof rows === "number" ? rows : undefined,
    );
  }

  /** The size to which an image is scaled first: by its longest edge, the other one even. */
  sizeFor(width: number, height: number): Size {
    const { longestEdge } = this.#config;
    if (longestEdge === undefined) return [width, height];
    const size = withLongest([width, height], longestEdge, (edge) => edge + (edge % 2));
    return Math.max(...size) > MAX_EDGE ? withLongest(size, MAX_EDGE, (edge) => edge) : size;
  }

  /** Pixels of `sizeFor` to tiles: each is a square of the encoder's size. */
  process(image: Pixels): ProcessedImage {
    const { tileSize, splits } = this.#config;
    const square = [tileSize, tileSize] as const;
    const size = splits ? wholeTiles(image, tileSize) : square;
    const stretched = scaled(image, size);
    const [columns, rows] = [size[0] / tileSize, size[1] / tileSize];
    const isTiled = columns * rows > 1;
    const tiles = isTiled ? columns * rows + 1 : 1;
    const pixelValues = new Float32Array(tiles * 3 * tileSize * tileSize);
    for (let tile = 0; tile < columns * rows; tile++) {
      const corner = [(tile % columns) * tileSize, Math.floor(tile / columns) * tileSize] as const;
      this.#write(pixelValues, tile, stretched, corner);
    }
    if (isTiled) this.#write(pixelValues, tiles - 1, scaled(stretched, square), [0, 0]);
    const grid = isTiled ? { rows, columns } : { rows: 0, columns: 0 };
    return { pixelValues, tiles, height: tileSize, width: tileSize, grid };
  }

  /** One tile's colours, a plane each, scaled and normalised. */
  #write(values: Float32Array, tile: number, { data, width }: Pixels, [left, top]: Size): void {
    const { tileSize, scale, mean, std } = this.#config;
    for (let channel = 0; channel < 3; channel++) {
      const [center, spread] = [mean[channel]!, std[channel]!];
      let to = (3 * tile + channel) * tileSize * tileSize;
      for (let y = 0; y < tileSize; y++) {
        let from = 4 * ((top + y) * width + left) + channel;
        for (let x = 0; x < tileSize; x++, from += 4) {
          values[to++] = (data[from]! * scale - center) / spread;
        }
      }
    }
  }
}

/** Upper bound of an edge for any processor configuration. */
const MAX_EDGE = 4096;

/** The smallest size of whole tiles; the longer side decides first. */
function wholeTiles({ width, height }: Pixels, tileSize: number): Size {
  const up = (pixels: number) => Math.ceil(pixels / tileSize) * tileSize;
  return withLongest([width, height], up(Math.max(width, height)), (edge) => up(Math.max(1, edge)));
}

/** A size with another longest edge and nearly the same shape, in the arithmetic of `transformers`. */
function withLongest(
  [width, height]: Size,
  longest: number,
  round: (edge: number) => number,
): Size {
  const aspect = width / height;
  if (width >= height) return [longest, Math.max(1, round(Math.trunc(longest / aspect)))];
  return [Math.max(1, round(Math.trunc(longest * aspect))), longest];
}

function scaled(image: Pixels, [width, height]: Size): Pixels {
  if (image.width === width && image.height === height) return image;
  const data = resample(image.data, [image.width, image.height], [width, height]);
  return { data, width, height };
}

/**
 * The part of the image in each tile, in prompt order. The image is resized to a whole number of
 * tiles, so the tiles divide it evenly; the last tile shows the whole image.
 */
export function tileBoxes({ rows, columns }: TileGrid): TileBox[] {
  const boxes: TileBox[] = [];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const [width, height] = [1 / columns, 1 / rows];
      boxes.push({ x: column * width, y: row * height, width, height });
    }
  }
  return [...boxes, { x: 0, y: 0, width: 1, height: 1 }];
}
