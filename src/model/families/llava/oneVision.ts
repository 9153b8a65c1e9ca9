import type { JsonObject } from "../../checkpoint/files";
import type { ImageGeometry, ImageMarkup } from "../../prompt/imageMarkup";
import { featuresPerSide, type TowerConfig } from "../../vision/towerConfig";
import type { ModelFamily } from "../family";
import { rowTokens } from "../rowTokens";
import { LLAVA_NAMES, llavaMarkup, llavaTower } from "./llava";
import { OneVisionProcessor } from "./oneVisionProcessor";

function tower(json: JsonObject, width: number): TowerConfig {
  return llavaTower(json, width, {
    sizes: {
      image_size: 224,
      patch_size: 16,
      num_channels: 3,
      hidden_size: 768,
      intermediate_size: 3072,
      num_hidden_layers: 12,
      num_attention_heads: 12,
      layer_norm_eps: 1e-6,
      hidden_act: "gelu_pytorch_tanh",
    },
    features: { layer: -1, strategy: "full" },
  });
}

/** The rows of all frames of a video follow each other, and have a token of their own. */
function markup(imageTokenId: number, videoTokenId = imageTokenId): ImageMarkup {
  const images = llavaMarkup(imageTokenId);
  const placeholder = "<video>";
  const token = videoTokenId === imageTokenId ? images.placeholder : placeholder;
  const expand = (frames: readonly ImageGeometry[]) =>
    frames.map((frame) => rowTokens(frame, token)).join("");
  return { ...images, video: { placeholder, tokenId: videoTokenId, expand } };
}

/**
 * LLaVA-OneVision: LLaVA-NeXT's tiles with SigLIP, whose rows are scaled down above nine tiles' worth, over
 * Qwen2.
 */
export const oneVision: ModelFamily = {
  title: "LLaVA-OneVision",
  modelTypes: ["llava_onevision"],
  decoder: "Qwen2",
  images: "SigLIP on tiles, newline rows",
  examples: ["llava-hf/llava-onevision-qwen2-0.5b-ov-hf"],
  vision: {
    tower,
    names: { ...LLAVA_NAMES, newlines: ["image_newline", "model.image_newline"] },
    processor: (files, config) =>
      OneVisionProcessor.load(files, config.imageSize, featuresPerSide(config)),
    markup,
  },
};
