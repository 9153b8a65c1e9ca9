import type { Activation } from "@/gpu/kernels/matmul/matmul";
import { checkChannels, checkSizes } from "../towerConfig";

/**
 * Shape and constants of a vision transformer that takes images of any size as grids of patches, with
 * rotary positions in rows and columns, and of the projection behind it.
 */
export interface GridTowerConfig {
  /** Side of a patch, in pixels. */
  readonly patchSize: number;
  readonly channels: number;
  /** Frames of a temporal patch, which share a row; a still image is the same in each of them. */
  readonly temporalPatchSize: number;
  readonly hidden: number;
  readonly intermediate: number;
  readonly layers: number;
  readonly heads: number;
  readonly headDim: number;
  readonly norm: "layer" | "rms";
  /** The MLP's activation; `gated`: SiLU(gate) ⊙ up. */
  readonly mlp: Activation | "gated";
  readonly hasPatchBias: boolean;
  /** Side of the grid of learned positions, which are interpolated; absent: there are none. */
  readonly positionSide?: number;
  /** fold × fold neighbouring patches become one feature row. */
  readonly fold: number;
  /** Absent: all layers attend to the whole image. */
  readonly window?: GridWindow;
  /** Layers whose output is projected, too, for the decoder's first layers (DeepStack). */
  readonly deepstack: readonly number[];
  /** Width of a feature row: the decoder's hidden size. */
  readonly width: number;
  /** Positions per second of a video; absent: temporal patches count by one, or their times are text. */
  readonly positionsPerSecond?: number;
}

interface GridWindow {
  /** Side of a window, in feature rows. */
  readonly side: number;
  /** Layers that attend to the whole image. */
  readonly fullLayers: readonly number[];
}

/** Epsilon of all norms, which no configuration changes. */
export const GRID_EPSILON = 1e-6;

type GridSizes = Pick<GridTowerConfig, "hidden" | "channels" | "patchSize" | "fold" | "width">;

/** The most pixels that can be taken. */
export interface MostPixels {
  /** Of one image, whose activations can each be bound. */
  readonly image: number;
  /** Of all images, whose feature rows leave a quarter of the context. */
  readonly context: number;
}

export const ANY_PIXELS: MostPixels = {
  image: Number.POSITIVE_INFINITY,
  context: Number.POSITIVE_INFINITY,
};

/**
 * Qwen2-VL's own limit of 12.8 megapixels per image needs bindings of 335 MB.
 * @param bindingBytes the adapter's largest binding
 */
export function mostPixels(
  { hidden, channels, patchSize, fold, width }: GridSizes,
  bindingBytes: number,
  contextLength: number,
): MostPixels {
  const words = Math.max(hidden, channels * patchSize ** 2, Math.ceil(width / fold ** 2));
  return {
    image: Math.floor(bindingBytes / 4 / words) * patchSize ** 2,
    context: 0.75 * contextLength * fold ** 2 * patchSize ** 2,
  };
}

/** @throws ModelError for what the kernels do not cover */
export function checkGridTower(config: GridTowerConfig): GridTowerConfig {
  checkSizes({
    "the width": config.hidden,
    "the MLP's width": config.intermediate,
    "the head size": config.headDim,
  });
  checkChannels(config);
  return config;
}
