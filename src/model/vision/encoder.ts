import type { ProcessedImage } from "../families/family";
import type { RangeNotice } from "./range";

/** An image's features for the decoder: f32 [rows, width], in the pool `vision`. */
export interface ImageFeatures {
  readonly buffer: GPUBuffer;
  readonly rows: number;
  /** Elements of one row: the decoder's hidden size. */
  readonly width: number;
  /** More features of the same rows, each added behind one of the decoder's first layers. */
  readonly deepstack?: readonly GPUBuffer[];
  /** [rows]: attention that a row's patches receive in the last layer that ran, if it was asked for. */
  readonly attention?: Float32Array;
  /** What encoding it has shown about the encoder. */
  readonly notices?: readonly RangeNotice[];
  /** Keys of that layer, mean over heads, summed over a row's patches; f32 [rows, keyWidth]. */
  readonly keys?: RowKeys;
  /** The same rows before the connector, if attention was asked for and the connector takes each row by itself. */
  readonly unprojected?: UnprojectedRows;
}

interface UnprojectedRows {
  /** f32 [rows of the encoder, width], in the pool `vision`. */
  readonly buffer: GPUBuffer;
  readonly width: number;
  /** Per row of the prompt: its row in `buffer`; beyond the last one for a row that ends a line. */
  readonly places: Uint32Array;
}

interface RowKeys {
  readonly width: number;
  readonly data: Float32Array;
}

export interface EncodeOptions {
  /** Whether to record attention and keys, too. */
  readonly attention?: boolean;
}

/** All buffers of an image's features, which belong to whoever had it encoded. */
export function featureBuffers(features: ImageFeatures): readonly GPUBuffer[] {
  const { buffer, deepstack = [], unprojected } = features;
  return [buffer, ...deepstack, ...(unprojected ? [unprojected.buffer] : [])];
}

/** Pixels in, feature rows on the GPU out. */
export interface VisionEncoder {
  /** Bytes of weights that came from safetensors; an ONNX file counts among the directory's files. */
  readonly tensorBytes: number;
  /** What is known about it from earlier visits. */
  readonly notices?: readonly RangeNotice[];
  /**
   * What it also encodes at fewer features than its processor gives: square tiles, smaller than those that it was
   * trained with, or images of any size.
   */
  readonly smaller?: "tiles" | "images" | undefined;
  /**
   * The buffers belong to the caller, who destroys them through `Memory`.
   * @throws ModelError, also if attention is asked of an encoder that gives none
   */
  encode(image: ProcessedImage, options?: EncodeOptions): Promise<ImageFeatures>;
  /**
   * The connector alone, where it takes each row by itself.
   * @param rows f32 [rows, width], like those of `UnprojectedRows`
   * @returns f32 [rows, the decoder's width], in the pool `vision`; it belongs to the caller
   */
  project?(rows: Float32Array<ArrayBuffer>): GPUBuffer;
  release(): Promise<void>;
}
