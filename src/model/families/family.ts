import type { ResampleFilter } from "@/images/resample";
import type { JsonObject, ModelFiles } from "../checkpoint/files";
import type { ImageGeometry, ImageMarkup } from "../prompt/prompt";
import type { TowerConfig } from "../vision/towerConfig";
import type { TowerNames } from "../vision/towerWeights";

/** An image as a vision encoder takes it, and how it was cut. */
export interface ProcessedImage {
  /** f32 [tiles, 3, height, width], normalized */
  readonly pixelValues: Float32Array;
  readonly tiles: number;
  readonly height: number;
  readonly width: number;
  readonly geometry: ImageGeometry;
}

/** A decoded image. */
export interface Raster {
  /** RGBA, [height, width, 4] */
  readonly data: Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
}

/** A family's image processor, set up from a directory's files. */
export interface ImageProcessor {
  readonly filter: ResampleFilter;
  /** The size to which an image is scaled before `process`, in pixels. */
  sizeFor(width: number, height: number): readonly [width: number, height: number];
  process(image: Raster): ProcessedImage;
}

/** How a family sees images. */
export interface VisionFamily {
  /** Shape of the vision encoder. `width`: the decoder's hidden size. @throws ModelError */
  tower(json: JsonObject, width: number): TowerConfig;
  /** Where checkpoints keep its tensors, in every layout that the Hub has. */
  readonly names: TowerNames;
  /** `config` of the tower. @throws ModelError */
  processor(files: ModelFiles, config: TowerConfig): Promise<ImageProcessor>;
  markup(imageTokenId: number): ImageMarkup;
}

/** What differs between models: everything else reads configuration fields, never a model's name. */
export interface ModelFamily {
  /** As people know it. */
  readonly title: string;
  /** `model_type`s of `config.json`. */
  readonly modelTypes: readonly string[];
  readonly vision?: VisionFamily;
}
