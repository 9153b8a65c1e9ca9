import type { ResampleFilter } from "@/images/resample";
import { shown } from "@/text/shown";
import type { JsonObject, ModelFiles } from "../../checkpoint/files";
import { ModelError } from "../../modelError";
import type { ImageGeometry } from "../../prompt/prompt";
import type { ImageProcessor, PixelSize, ProcessedImage, Raster } from "../family";
import {
  type Normalization,
  normalizationOf,
  pillowFilter,
  preprocessorFiles,
  toPixelValues,
} from "../preprocessor";

/** CLIP's image processor: scales the shortest edge to the encoder's size and crops the centre. */
export class ClipProcessor implements ImageProcessor {
  readonly filter: ResampleFilter;
  readonly #normalization: Normalization;
  readonly #shortestEdge: number;
  readonly #crop: { readonly height: number; readonly width: number };
  /** Feature rows along a side. */
  readonly #side: number;

  constructor(config: JsonObject, imageSize: number, side: number) {
    const size = config.size as number | { readonly shortest_edge?: number } | undefined;
    const crop = config.crop_size as number | { readonly height: number } | undefined;
    const edge = typeof size === "number" ? size : (size?.shortest_edge ?? imageSize);
    const square = typeof crop === "number" ? crop : (crop?.height ?? imageSize);
    if (square !== imageSize) {
      const sizes = `${shown(square)} pixels, but its vision encoder takes ${imageSize}`;
      throw new ModelError("badModel", `The model's preprocessor_config.json cuts ${sizes}.`);
    }
    if (!Number.isSafeInteger(edge) || edge <= 0) {
      const message = `The model's preprocessor_config.json scales images to ${shown(edge)} pixels.`;
      throw new ModelError("badModel", message);
    }
    this.filter = pillowFilter(config.resample ?? 3);
    this.#normalization = normalizationOf(config);
    this.#shortestEdge = edge;
    this.#crop = { height: square, width: square };
    this.#side = side;
  }

  /** @throws ModelError */
  static async load(files: ModelFiles, imageSize: number, side: number): Promise<ClipProcessor> {
    const { preprocessor } = await preprocessorFiles(files);
    return new ClipProcessor(preprocessor, imageSize, side);
  }

  sizeFor(width: number, height: number): readonly [width: number, height: number] {
    const edge = this.#shortestEdge;
    const long = Math.floor((edge * Math.max(width, height)) / Math.min(width, height));
    return width <= height ? [edge, long] : [long, edge];
  }

  geometry(size: PixelSize): ImageGeometry {
    const { left, top, width, height } = this.#cropOf(size);
    const box = {
      x: left / size.width,
      y: top / size.height,
      width: width / size.width,
      height: height / size.height,
    };
    const tile = { gridRows: this.#side, gridColumns: this.#side, box };
    return { grid: { rows: 0, columns: 0 }, tiles: [tile] };
  }

  process(image: Raster): ProcessedImage {
    const crop = this.#cropOf(image);
    const pixelValues = toPixelValues(image, crop, this.#normalization);
    const { height, width } = crop;
    return { pixelValues, tiles: 1, height, width, geometry: this.geometry(image) };
  }

  /** In the middle. */
  #cropOf(size: PixelSize) {
    const { height, width } = this.#crop;
    const left = Math.floor((size.width - width) / 2);
    return { left, top: Math.floor((size.height - height) / 2), width, height };
  }
}
