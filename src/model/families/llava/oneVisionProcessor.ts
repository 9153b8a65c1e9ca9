import type { ResampleFilter } from "@/images/resample";
import { shown } from "@/text/shown";
import type { ModelFiles } from "../../checkpoint/files";
import { ModelError } from "../../modelError";
import type { ImageGeometry } from "../../prompt/imageMarkup";
import type { FramePlace, ImageProcessor, PixelSize, ProcessedImage, Raster } from "../family";
import {
  type Normalization,
  normalizationOf,
  preprocessorFiles,
  scaled,
  toPixelValues,
} from "../preprocessor";
import { NextProcessor } from "./nextProcessor";
import { OneVisionFrames } from "./oneVisionFrames";

/** One square per image, for turns with several. */
interface SquareConfig {
  readonly tileSize: number;
  /** Feature rows along a side of the square. */
  readonly side: number;
  readonly normalization: Normalization;
}

/**
 * LLaVA-OneVision's image processor (https://arxiv.org/abs/2408.03326): tiles as in LLaVA-NeXT if the turn
 * has one image; several are padded to squares in the mean colour, one tile each.
 */
export class OneVisionProcessor implements ImageProcessor {
  readonly filter: ResampleFilter;
  readonly countsTurnImages = true;
  readonly #tiled: NextProcessor;
  readonly #square: SquareConfig;

  private constructor(tiled: NextProcessor, square: SquareConfig) {
    this.filter = tiled.filter;
    this.#tiled = tiled;
    this.#square = square;
  }

  /** @throws ModelError */
  static async load(
    files: ModelFiles,
    tileSize: number,
    side: number,
  ): Promise<OneVisionProcessor> {
    const { preprocessor, processor } = await preprocessorFiles(files);
    const ratio = processor?.vision_aspect_ratio ?? "anyres_max_9";
    const [, maxTiles] = /^anyres_max_(\d+)$/.exec(shown(ratio)) ?? [];
    if (maxTiles === undefined) {
      const message = `Images cannot be cut as the model's vision_aspect_ratio ${shown(ratio)} says.`;
      throw new ModelError("unknownArchitecture", message);
    }
    const rows = processor?.num_image_tokens ?? side ** 2;
    if (rows !== side ** 2) {
      const counts = `${shown(rows)} rows per tile, but its vision encoder gives ${side ** 2} features`;
      throw new ModelError("badModel", `The model's processor_config.json has ${counts}.`);
    }
    const tiled = await NextProcessor.load(files, tileSize, side, Number(maxTiles));
    const normalization = normalizationOf(preprocessor);
    return new OneVisionProcessor(tiled, { tileSize, side, normalization });
  }

  /** A frame is stretched to one square, whose rows are pooled. */
  frames({ at, count }: FramePlace): ImageProcessor {
    return new OneVisionFrames(this.filter, { ...this.#square, isLast: at === count - 1 });
  }

  /** All sizes are made from the image as it is. */
  sizeFor(width: number, height: number): readonly [width: number, height: number] {
    return [width, height];
  }

  geometry(size: PixelSize, turnImages = 1): ImageGeometry {
    return turnImages === 1 ? this.#tiled.geometry(size) : this.#squareGeometry(size);
  }

  process(image: Raster, turnImages = 1): ProcessedImage {
    return turnImages === 1 ? this.#tiled.process(image) : this.#processSquare(image);
  }

  #squareGeometry({ width, height }: PixelSize): ImageGeometry {
    const { side } = this.#square;
    const edge = Math.max(width, height);
    const box = {
      x: -Math.floor((edge - width) / 2) / width,
      y: -Math.floor((edge - height) / 2) / height,
      width: edge / width,
      height: edge / height,
    };
    // The newline row stands beside the square.
    const newline = { gridRows: 1, gridColumns: 1, box: { ...box, x: box.x + box.width } };
    const tiles = [{ gridRows: side, gridColumns: side, box }, newline];
    return { grid: { rows: 0, columns: 0 }, tiles };
  }

  #processSquare(image: Raster): ProcessedImage {
    const { tileSize, side, normalization } = this.#square;
    const size = { width: tileSize, height: tileSize };
    const square = padded(image, normalization.mean);
    const rows = side ** 2 + 1;
    return {
      pixelValues: toPixelValues(
        scaled(square, [tileSize, tileSize], this.filter),
        { left: 0, top: 0, ...size },
        normalization,
      ),
      tiles: 1,
      ...size,
      geometry: this.#squareGeometry(image),
      arrangement: {
        rows,
        parts: 1,
        indices: Uint32Array.from({ length: rows }, (_, row) => row),
        weights: new Float32Array(rows).fill(1),
      },
    };
  }
}

/** The image in the middle of a square of one colour. @param color per channel, 0 to 1 */
function padded(image: Raster, color: readonly number[]): Raster {
  const { width, height } = image;
  const edge = Math.max(width, height);
  const data = new Uint8ClampedArray(edge * edge * 4);
  const bytes = [...color.map((value) => Math.trunc(value * 255)), 255];
  for (let i = 0; i < data.length; i++) data[i] = bytes[i % 4] as number;
  const [left, top] = [Math.floor((edge - width) / 2), Math.floor((edge - height) / 2)];
  for (let y = 0; y < height; y++) {
    const line = image.data.subarray(y * width * 4, (y + 1) * width * 4);
    data.set(line, ((top + y) * edge + left) * 4);
  }
  return { data, width: edge, height: edge };
}
