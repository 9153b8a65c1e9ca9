import type { ResampleFilter } from "@/images/resample";
import type { JsonObject, ModelFiles } from "../checkpoint/files";
import type { ImageGeometry, ImageMarkup } from "../prompt/imageMarkup";
import type { GridTowerConfig, MostPixels } from "../vision/grid/gridConfig";
import type { GridTowerNames } from "../vision/grid/gridNames";
import type { TowerConfig } from "../vision/towerConfig";
import type { TowerNames } from "../vision/towerNames";

/**
 * Rows of the prompt as weighted sums of the encoder's rows, which count tile by tile; the number behind
 * the last is the newline row.
 */
export interface RowArrangement {
  readonly rows: number;
  readonly parts: number;
  /** [rows, parts] */
  readonly indices: Uint32Array<ArrayBuffer>;
  /** [rows, parts] */
  readonly weights: Float32Array<ArrayBuffer>;
}

/** A frame's place among the frames of its video in a turn. */
export interface FramePlace {
  readonly at: number;
  readonly count: number;
  /** Length of the video in seconds. */
  readonly duration: number;
}

/** Input of a vision encoder for one image, and its tiles; or for the frames of a temporal patch. */
export interface ProcessedImage {
  /** f32 [tiles or frames, 3, height, width], normalized */
  readonly pixelValues: Float32Array;
  readonly tiles: number;
  readonly height: number;
  readonly width: number;
  readonly geometry: ImageGeometry;
  /** Undefined: all rows in their order. */
  readonly arrangement?: RowArrangement;
}

/** An image's size in pixels. */
export interface PixelSize {
  readonly width: number;
  readonly height: number;
}

/** A decoded image. */
export interface Raster extends PixelSize {
  /** RGBA, [height, width, 4] */
  readonly data: Uint8ClampedArray;
}

/** An image was scaled to `width` × `height` instead of the model's own size, in pixels. */
export interface ScaledDown extends PixelSize {
  readonly code: "scaledDown";
  readonly ownWidth: number;
  readonly ownHeight: number;
}

/** A family's image processor, configured by a directory's files. */
export interface ImageProcessor {
  readonly filter: ResampleFilter;
  /** The size to scale an image to before `process`, in pixels. */
  sizeFor(width: number, height: number): readonly [width: number, height: number];
  /**
   * How an image is cut, from its size alone.
   * @param size that `sizeFor` gives @param turnImages as in `process`
   */
  geometry(size: PixelSize, turnImages?: number): ImageGeometry;
  /** Whether `sizeFor` gives less than the model's own processor would. */
  notice?(width: number, height: number): ScaledDown | undefined;
  /** For a frame of a video, or those of a temporal patch from `at` on; absent: as any image. */
  frames?(place: FramePlace): ImageProcessor;
  /** Frames of a video that are encoded as one image, a temporal patch; default 1. */
  readonly temporalPatchSize?: number;
  /** Of a processor that `frames` gives: other for each way in which it processes a frame. */
  readonly mark?: string;
  /** Whether `turnImages` changes what `process` gives. */
  readonly countsTurnImages?: boolean;
  /** @param turnImages number of images of the turn, this one included; default 1 */
  process(image: Raster, turnImages?: number): ProcessedImage;
}

/** A family's processing of images as square tiles. */
export interface VisionFamily {
  readonly gridTower?: undefined;
  /** Shape of the vision encoder. `width`: the decoder's hidden size. @throws ModelError */
  tower(json: JsonObject, width: number): TowerConfig;
  /** Prefixes of its tensors in every layout on the Hub. */
  readonly names: TowerNames;
  /** @param config of the tower @param contextLength rows that the decoder can hold @throws ModelError */
  processor(files: ModelFiles, config: TowerConfig, contextLength: number): Promise<ImageProcessor>;
  /** @param videoTokenId of a row of a video, where it has another one */
  markup(imageTokenId: number, videoTokenId?: number): ImageMarkup;
}

/** A family's processing of images, of any size, as grids of patches. */
export interface GridVisionFamily {
  /** Shape of the vision encoder. `width`: the decoder's hidden size. @throws ModelError */
  gridTower(json: JsonObject, width: number): GridTowerConfig;
  /** Names of its tensors in every layout on the Hub. */
  readonly names: GridTowerNames;
  /**
   * @param config of the tower @param most pixels that the adapter and the context hold
   * @throws ModelError
   */
  processor(files: ModelFiles, config: GridTowerConfig, most: MostPixels): Promise<ImageProcessor>;
  /** @param videoTokenId of a row of a video */
  markup(imageTokenId: number, videoTokenId?: number): ImageMarkup;
}

/**
 * The differences between model families. All other code reads configuration fields, never a
 * model's name.
 */
export interface ModelFamily {
  /** The family's usual name. */
  readonly title: string;
  /** `model_type`s of `config.json`. */
  readonly modelTypes: readonly string[];
  /** Decoder and images in a few words, and repositories of the Hub; for the README. */
  readonly decoder: string;
  readonly images?: string;
  readonly examples: readonly string[];
  /** Repositories whose published weights answered like PyTorch (`npm run ask -- --verify`). */
  readonly verified?: readonly string[];
  readonly vision?: VisionFamily | GridVisionFamily;
}
