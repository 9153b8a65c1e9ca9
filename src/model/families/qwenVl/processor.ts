import type { ResampleFilter } from "@/images/resample";
import type { JsonObject } from "../../checkpoint/files";
import { ModelError } from "../../modelError";
import type { ImageGeometry } from "../../prompt/imageMarkup";
import { ANY_PIXELS, type GridTowerConfig, type MostPixels } from "../../vision/grid/gridConfig";
import type {
  FramePlace,
  ImageProcessor,
  PixelSize,
  ProcessedImage,
  Raster,
  ScaledDown,
} from "../family";
import {
  checkOperations,
  type Normalization,
  normalizationOf,
  pillowFilter,
  toPixelValues,
} from "../preprocessor";
import { fittingSize, type PixelLimits } from "./size";

/** The largest image that every image is scaled up to. */
const MOST_PIXELS = 64e6;

/**
 * Qwen2-VL's image processor: scales an image to whole feature rows and columns within limits of its area,
 * with its proportions.
 */
export class QwenVlProcessor implements ImageProcessor {
  readonly filter: ResampleFilter;
  /** Of the model. */
  readonly limits: PixelLimits;
  /** Of what holds its images. */
  readonly most: MostPixels;
  /** Pixels along a side of a feature. */
  readonly side: number;
  readonly temporalPatchSize: number;
  readonly frames?: (place: FramePlace) => ImageProcessor;
  readonly #normalization: Normalization;

  constructor(
    config: JsonObject,
    {
      patchSize,
      fold,
      temporalPatchSize,
    }: Pick<GridTowerConfig, "patchSize" | "fold" | "temporalPatchSize">,
    most: MostPixels = ANY_PIXELS,
    frames?: (place: FramePlace) => ImageProcessor,
  ) {
    checkOperations(config, ["do_resize"]);
    const differs =
      (config.patch_size ?? patchSize) !== patchSize ||
      (config.merge_size ?? fold) !== fold ||
      (config.temporal_patch_size ?? temporalPatchSize) !== temporalPatchSize;
    if (differs) {
      const message = "The model's preprocessor_config.json and config.json have other patches.";
      throw new ModelError("badModel", message);
    }
    this.filter = pillowFilter(config.resample ?? 3);
    this.#normalization = normalizationOf(config);
    this.limits = limitsOf(config);
    this.most = most;
    this.side = patchSize * fold;
    this.temporalPatchSize = temporalPatchSize;
    if (frames) this.frames = frames;
  }

  /** @throws ImageError for an image that is too long */
  sizeFor(width: number, height: number): readonly [width: number, height: number] {
    const limits = limitedTo(Math.min(this.most.image, this.most.context), this.limits);
    return fittingSize([width, height], this.side, limits);
  }

  notice(width: number, height: number): ScaledDown | undefined {
    const [wide, high] = this.sizeFor(width, height);
    const [ownWidth, ownHeight] = fittingSize([width, height], this.side, this.limits);
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
      gridRows: height / this.side,
      gridColumns: width / this.side,
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
