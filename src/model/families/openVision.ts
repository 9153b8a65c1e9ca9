import type { DecoderConfig } from "../checkpoint/config";
import type { JsonObject, ModelFiles } from "../checkpoint/files";
import type { ImageMarkup } from "../prompt/imageMarkup";
import { type EncoderWeights, gridEncoder, tiledEncoder } from "../vision/encoderWeights";
import { mostPixels } from "../vision/grid/gridConfig";
import { featuresPerSide } from "../vision/towerConfig";
import type { GridVisionFamily, ImageProcessor, VisionFamily } from "./family";

/** A directory's vision encoder by its `config.json`; nothing is loaded yet. */
export interface OpenedVision {
  readonly weights: EncoderWeights;
  /** Feature rows of a tile; undefined where it depends on the image. */
  readonly rowsPerTile: number | undefined;
  /** Side of a feature row's part of the processed image, in pixels. */
  readonly featureSide: number;
  /** @param bindingBytes the adapter's largest binding, if that is known @throws ModelError */
  processor(files: ModelFiles, bindingBytes?: number): Promise<ImageProcessor>;
  markup(imageTokenId: number, videoTokenId?: number): ImageMarkup;
}

/** @throws ModelError */
export function openVision(
  family: VisionFamily | GridVisionFamily,
  json: JsonObject,
  decoder: Pick<DecoderConfig, "hidden" | "contextLength">,
): OpenedVision {
  const { markup } = family;
  if (family.gridTower) {
    const config = family.gridTower(json, decoder.hidden);
    return {
      weights: gridEncoder(config, family.names),
      rowsPerTile: undefined,
      featureSide: config.patchSize * config.fold,
      processor(files, bindingBytes = Number.POSITIVE_INFINITY) {
        const most = mostPixels(config, bindingBytes, decoder.contextLength);
        return family.processor(files, config, most);
      },
      markup,
    };
  }
  const config = family.tower(json, decoder.hidden);
  return {
    weights: tiledEncoder(config, family.names),
    rowsPerTile: featuresPerSide(config) ** 2,
    featureSide: config.patchSize * config.connector.fold,
    processor: (files) => family.processor(files, config, decoder.contextLength),
    markup,
  };
}

/** The token of a video's rows, which older models lack. */
export function videoTokenOf(json: JsonObject): number | undefined {
  const id = json.video_token_id ?? json.video_token_index;
  return typeof id === "number" ? id : undefined;
}
