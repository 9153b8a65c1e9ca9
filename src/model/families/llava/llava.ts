import type { JsonObject } from "../../checkpoint/files";
import type { ImageMarkup } from "../../prompt/imageMarkup";
import {
  activationOf,
  checkTower,
  featuresPerSide,
  PLAIN_TOWER,
  type TowerConfig,
  towerSizes,
} from "../../vision/towerConfig";
import { CLIP_PARTS, type TowerNames } from "../../vision/towerNames";
import type { ModelFamily } from "../family";
import { featureLayers } from "../featureLayers";
import { rowTokens } from "../rowTokens";
import { NextProcessor } from "./nextProcessor";
import { ClipProcessor } from "./processor";

/** What an encoder brings to a LLaVA: its defaults, and which of its features are used. */
interface LlavaEncoder {
  readonly sizes: Parameters<typeof towerSizes>[1];
  readonly features: Parameters<typeof featureLayers>[2];
  readonly own?: Partial<TowerConfig>;
}

/** An encoder and two projections. */
export function llavaTower(
  json: JsonObject,
  width: number,
  { sizes: defaults, features, own }: LlavaEncoder,
): TowerConfig {
  const sizes = towerSizes(json, defaults);
  return checkTower({
    ...sizes,
    ...PLAIN_TOWER,
    layers: featureLayers(json, sizes.layers, features),
    ...own,
    connector: {
      fold: 1,
      activation: activationOf(json.projector_hidden_act ?? "gelu"),
      hasBias: json.multimodal_projector_bias !== false,
    },
    width,
  });
}

const CLIP: LlavaEncoder = {
  sizes: {
    image_size: 224,
    patch_size: 32,
    num_channels: 3,
    hidden_size: 768,
    intermediate_size: 3072,
    num_hidden_layers: 12,
    num_attention_heads: 12,
    layer_norm_eps: 1e-5,
    hidden_act: "quick_gelu",
  },
  features: { layer: -2, strategy: "default" },
  own: { hasPatchBias: false, hasClassToken: true, hasPreNorm: true },
};

function tower(json: JsonObject, width: number): TowerConfig {
  return llavaTower(json, width, CLIP);
}

/** Of the tower and of two projections. */
export const LLAVA_NAMES: TowerNames = {
  towers: [
    "vision_tower.vision_model.",
    "model.vision_tower.vision_model.",
    "vision_tower.",
    "model.vision_tower.",
  ],
  parts: CLIP_PARTS,
  connectors: ["", "model."].map((prefix) => [
    `${prefix}multi_modal_projector.linear_1`,
    `${prefix}multi_modal_projector.linear_2`,
  ]),
};

/** One image token per row, nothing around. */
export function llavaMarkup(imageTokenId: number): ImageMarkup {
  const placeholder = "<image>";
  return { placeholder, imageTokenId, expand: (image) => rowTokens(image, placeholder) };
}

/**
 * LLaVA-1.5 (https://arxiv.org/abs/2310.03744): CLIP on one square, features of a layer before the last
 * without the class token, two projections.
 */
export const llava: ModelFamily = {
  title: "LLaVA-1.5",
  modelTypes: ["llava"],
  decoder: "Llama",
  images: "CLIP on one square",
  examples: ["llava-hf/llava-1.5-7b-hf"],
  vision: {
    tower,
    names: LLAVA_NAMES,
    processor: (files, config) => ClipProcessor.load(files, config, featuresPerSide(config)),
    markup: llavaMarkup,
  },
};

/** LLaVA-NeXT: LLaVA-1.5's encoder on the whole image and on tiles of it, over Vicuna or Mistral. */
export const llavaNext: ModelFamily = {
  title: "LLaVA-NeXT",
  modelTypes: ["llava_next"],
  decoder: "Llama, Mistral",
  images: "CLIP on tiles, newline rows",
  examples: ["llava-hf/llava-v1.6-vicuna-7b-hf", "llava-hf/llava-v1.6-mistral-7b-hf"],
  vision: {
    tower,
    names: { ...LLAVA_NAMES, newlines: ["image_newline", "model.image_newline"] },
    processor: (files, config) =>
      NextProcessor.load(files, config.imageSize, featuresPerSide(config)),
    markup: llavaMarkup,
  },
};
