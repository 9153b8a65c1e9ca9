import type { ResampleFilter } from "@/images/resample";
import { shown } from "@/text/shown";
import type { JsonObject, ModelFiles } from "../../checkpoint/files";
import { ModelError } from "../../modelError";
import type { ImageGeometry } from "../../prompt/imageMarkup";
import type { TowerConfig } from "../../vision/towerConfig";
import type { ImageProcessor, PixelSize, ProcessedImage, Raster } from "../family";
import {
  checkCount,
  checkOperations,
  checkSquares,
  type Normalization,
  normalizationOf,
  pillowFilter,
  preprocessorFiles,
  toPixelValues,
} from "../preprocessor";

/** The longest shortest edge, in pixels. */
const MOST_EDGE = 4096;

/** CLIP's image processor: scales the shortest edge to the encoder's size and crops the centre. */
export class ClipProcessor implements ImageProcessor {
  readonly filter: ResampleFilter;
  readonly #normalization: Normalization;
  readonly #shortestEdge: number;
  readonly #crop: { readonly height: number; readonly width: number };
  /** Feature rows along a side. */
  readonly #side: number;

  constructor(config: JsonObject, imageSize: number, side: number) {
    checkOperations(config, ["do_resize", "do_center_crop"]);
    checkSquares(config, ["crop_size"], imageSize);
    const size = (config.size ?? { shortest_edge: imageSize }) as JsonObject | number;
    const edge = typeof size === "number" ? size : size.shortest_edge;
    if (typeof edge !== "number" || !Number.isInteger(edge) || edge <= 0 || edge > MOST_EDGE) {
      const message = `The model's preprocessor_config.json scales images to ${shown(edge)} pixels.`;
      throw new ModelError("badModel", message);
    }
    this.filter = pillowFilter(config.resample ?? 3);
    this.#normalization = normalizationOf(config);
    this.#shortestEdge = edge;
    this.#crop = { height: imageSize, width: imageSize };
    this.#side = side;
  }

  /** @throws ModelError */
  static async load(
    files: ModelFiles,
    { imageSize, patchSize }: Pick<TowerConfig, "imageSize" | "patchSize">,
    side: number,
  ): Promise<ClipProcessor> {
    const { preprocessor, processor } = await preprocessorFiles(files);
    checkCount(processor, "patch_size", patchSize);
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
