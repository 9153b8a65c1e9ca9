import { ImageError } from "@/images/imageError";
import type { ResampleFilter } from "@/images/resample";
import type { JsonObject, ModelFiles } from "../../checkpoint/files";
import { ModelError } from "../../modelError";
import type { ImageGeometry } from "../../prompt/prompt";
import type { GridTowerConfig } from "../../vision/grid/gridConfig";
import type { ImageProcessor, PixelSize, ProcessedImage, Raster, ScaledDown } from "../family";
import {
  checkSteps,
  type Normalization,
  normalizationOf,
  pillowFilter,
  preprocessorFiles,
  toPixelValues,
} from "../preprocessor";

/** Limits of an image's size, in pixels. */
export interface PixelLimits {
  readonly fewest: number;
  readonly most: number;
}

/** The largest image that every image is scaled up to. */
const MOST_PIXELS = 64e6;

/** The longest image, in multiples of its shorter side. */
const MOST_LENGTHS = 200;

/**
 * Qwen2-VL's image processor: scales an image to whole feature rows and columns within limits of its area,
 * with its proportions.
 */
export class QwenVlProcessor implements ImageProcessor {
  readonly filter: ResampleFilter;
  readonly #normalization: Normalization;
  /** Of the model. */
  readonly #limits: PixelLimits;
  /** Of the model and of what holds its images. */
  readonly #fitting: PixelLimits;
  /** Pixels along a side of a feature. */
  readonly #side: number;

  constructor(
    config: JsonObject,
    { patchSize, fold, moments }: Pick<GridTowerConfig, "patchSize" | "fold" | "moments">,
    mostPixels = Number.POSITIVE_INFINITY,
  ) {
    checkSteps(config, ["do_resize"]);
    const differs =
      (config.patch_size ?? patchSize) !== patchSize ||
      (config.merge_size ?? fold) !== fold ||
      (config.temporal_patch_size ?? moments) !== moments;
    if (differs) {
      const message = "The model's preprocessor_config.json and config.json have other patches.";
      throw new ModelError("badModel", message);
    }
    this.filter = pillowFilter(config.resample ?? 3);
    this.#normalization = normalizationOf(config);
    this.#limits = limitsOf(config);
    this.#fitting = limitedTo(mostPixels, this.#limits);
    this.#side = patchSize * fold;
  }

  /** @throws ModelError */
  static async load(
    files: ModelFiles,
    config: GridTowerConfig,
    mostPixels?: number,
  ): Promise<QwenVlProcessor> {
    const { preprocessor } = await preprocessorFiles(files);
    return new QwenVlProcessor(preprocessor, config, mostPixels);
  }

  /** @throws ImageError for an image that is too long */
  sizeFor(width: number, height: number): readonly [width: number, height: number] {
    return fittingSize([width, height], this.#side, this.#fitting);
  }

  notice(width: number, height: number): ScaledDown | undefined {
    const [wide, high] = this.sizeFor(width, height);
    const [ownWidth, ownHeight] = fittingSize([width, height], this.#side, this.#limits);
    if (wide === ownWidth && high === ownHeight) return undefined;
    return { code: "scaledDown", width: wide, height: high, ownWidth, ownHeight };
  }

  process(image: Raster): ProcessedImage {
    const { width, height } = image;
    const part = { left: 0, top: 0, width, height };
    const pixelValues = toPixelValues(image, part, this.#normalization);
    return { pixelValues, tiles: 1, height, width, geometry: this.geometry(image) };
  }

  geometry({ width, height }: PixelSize): ImageGeometry {
    const tile = {
      gridRows: height / this.#side,
      gridColumns: width / this.#side,
      box: { x: 0, y: 0, width: 1, height: 1 },
    };
    return { grid: { rows: 0, columns: 0 }, tiles: [tile] };
  }
}

/** `min_pixels` and `max_pixels` win over `size`. @throws ModelError */
function limitsOf(config: JsonObject): PixelLimits {
  const size = (config.size ?? {}) as JsonObject;
  const fewest = config.min_pixels ?? size.shortest_edge ?? 56 * 56;
  const most = config.max_pixels ?? size.longest_edge ?? 28 * 28 * 1280;
  const areNumbers = typeof fewest === "number" && typeof most === "number";
  if (areNumbers && fewest > 0 && fewest <= MOST_PIXELS && most >= fewest) return { fewest, most };
  const message = "The model's preprocessor_config.json has no limits of pixels that can be met.";
  throw new ModelError("badModel", message);
}

function limitedTo(pixels: number, { fewest, most }: PixelLimits): PixelLimits {
  const fitting = Math.min(most, pixels);
  return { fewest: Math.min(fewest, fitting), most: fitting };
}

/**
 * The size of an image in multiples of `side` pixels whose area is within limits: `smart_resize` of
 * `transformers`, which rounds halves to even numbers.
 * @throws ImageError for an image that is too long
 */
export function fittingSize(
  size: readonly [width: number, height: number],
  side: number,
  { fewest, most }: PixelLimits,
): readonly [width: number, height: number] {
  const [width, height] = size;
  if (Math.max(width, height) / Math.min(width, height) > MOST_LENGTHS) {
    const message = `This model takes images that are at most ${MOST_LENGTHS} times as long as wide.`;
    throw new ImageError({ kind: "tooLong", most: MOST_LENGTHS }, message);
  }
  const sized = (toSides: (pixels: number) => number) =>
    [toSides(width) * side, toSides(height) * side] as const;
  const rounded = sized((pixels) => roundToEven(pixels / side));
  const area = rounded[0] * rounded[1];
  if (area > most) {
    const scale = Math.sqrt((height * width) / most);
    return sized((pixels) => Math.max(1, Math.floor(pixels / scale / side)));
  }
  if (area < fewest) {
    const scale = Math.sqrt(fewest / (height * width));
    return sized((pixels) => Math.ceil((pixels * scale) / side));
  }
  return rounded;
}

function roundToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}
