import { shown } from "@/text/shown";
import type { JsonObject } from "../../checkpoint/files";
import { ModelError } from "../../modelError";
import type { ImageMarkup, VideoMarkup } from "../../prompt/imageMarkup";
import {
  activationOf,
  checkTower,
  featuresPerSide,
  PLAIN_TOWER,
  type TowerConfig,
  towerSizes,
} from "../../vision/towerConfig";
import type { TowerParts } from "../../vision/towerNames";
import type { ModelFamily } from "../family";
import { featureLayers } from "../featureLayers";
import { InternVlProcessor } from "./processor";

const PARTS: TowerParts = {
  patches: "embeddings.patch_embeddings.projection",
  positions: "embeddings.position_embeddings",
  classToken: "embeddings.cls_token",
  finalNorm: "layernorm",
  layers: "encoder.layer.",
  attentionNorm: "layernorm_before",
  qkv: ["attention.q_proj", "attention.k_proj", "attention.v_proj"],
  qkNorms: ["attention.q_norm", "attention.k_norm"],
  output: "attention.projection_layer",
  mlpNorm: "layernorm_after",
  up: "mlp.fc1",
  down: "mlp.fc2",
  scales: ["lambda_1", "lambda_2"],
};

function tower(json: JsonObject, width: number): TowerConfig {
  const vision = (json.vision_config ?? {}) as JsonObject;
  const sizes = towerSizes(json, {
    image_size: 448,
    patch_size: 14,
    num_channels: 3,
    hidden_size: 1024,
    intermediate_size: 4096,
    num_hidden_layers: 24,
    num_attention_heads: 16,
    layer_norm_eps: 1e-6,
    hidden_act: "gelu",
  });
  if (vision.use_absolute_position_embeddings === false) {
    const message = "A vision encoder without learned positions is not supported.";
    throw new ModelError("unknownArchitecture", message);
  }
  return checkTower({
    ...sizes,
    ...PLAIN_TOWER,
    layers: featureLayers(json, sizes.layers, { layer: -1, strategy: "default" }),
    norm: normOf(vision),
    hasQkvBias: vision.attention_bias === true,
    hasQkNorm: vision.use_qk_norm === true,
    hasLayerScale: true,
    hasClassToken: true,
    hasFinalNorm: vision.use_mean_pooling === false,
    connector: {
      fold: foldOf(json.downsample_ratio ?? 0.5),
      hasNorm: true,
      activation: activationOf(json.projector_hidden_act ?? "gelu"),
      hasBias: true,
    },
    width,
  });
}

/** Of a ratio that is no number, what `checkTower` refuses. */
function foldOf(ratio: unknown): number {
  return typeof ratio === "number" ? Math.trunc(1 / ratio) : Number.NaN;
}

function normOf({ norm_type: type = "layer_norm" }: JsonObject): TowerConfig["norm"] {
  if (type === "layer_norm") return "layer";
  if (type === "rms_norm") return "rms";
  const message = `The norm ${shown(type)} of the vision encoder is not supported.`;
  throw new ModelError("unknownArchitecture", message);
}

/** The rows of all tiles between one pair of tokens. */
function markup(imageTokenId: number): ImageMarkup {
  const placeholder = "<IMG_CONTEXT>";
  const expand: ImageMarkup["expand"] = ({ tiles }) => {
    const rows = tiles.reduce((sum, tile) => sum + tile.gridRows * tile.gridColumns, 0);
    return `<img>${placeholder.repeat(rows)}</img>`;
  };
  const video: VideoMarkup = {
    placeholder: "<video>",
    expand: (frames) => frames.map((frame, i) => `Frame${i + 1}: ${expand(frame)}`).join("\n"),
  };
  return { placeholder, imageTokenId, expand, video };
}

/**
 * InternVL3 (https://arxiv.org/abs/2504.10479), in the layout of `transformers`: InternViT on tiles and a
 * thumbnail, pixel shuffle, a norm and two projections, Qwen2.
 */
export const internVl: ModelFamily = {
  title: "InternVL3",
  modelTypes: ["internvl"],
  decoder: "Qwen2",
  images: "InternViT on tiles, pixel shuffle",
  examples: ["OpenGVLab/InternVL3-1B-hf", "OpenGVLab/InternVL3-2B-hf"],
  vision: {
    tower,
    names: {
      towers: ["vision_tower.", "model.vision_tower."],
      parts: PARTS,
      connectors: ["", "model."].map((prefix) => [
        `${prefix}multi_modal_projector.linear_1`,
        `${prefix}multi_modal_projector.linear_2`,
      ]),
      connectorNorms: ["", "model."].map((prefix) => `${prefix}multi_modal_projector.layer_norm`),
    },
    processor: (files, config) =>
      InternVlProcessor.load(files, config.imageSize, featuresPerSide(config)),
    markup,
  },
};
