import { checkTower, featuresPerSide, PLAIN_TOWER, towerSizes } from "../../vision/towerConfig";
import { CLIP_PARTS } from "../../vision/towerNames";
import type { ModelFamily } from "../family";
import { smolVlmMarkup } from "./markup";
import { Idefics3Processor } from "./processor";

/**
 * Idefics3 (https://arxiv.org/abs/2408.12637) and SmolVLM (https://arxiv.org/abs/2504.05299): SigLIP on
 * square tiles, pixel shuffle, one projection.
 */
export const idefics3: ModelFamily = {
  title: "SmolVLM and Idefics3",
  modelTypes: ["idefics3", "smolvlm"],
  decoder: "Llama",
  images: "SigLIP on tiles, pixel shuffle",
  examples: ["HuggingFaceTB/SmolVLM-256M-Instruct", "HuggingFaceTB/SmolVLM2-500M-Video-Instruct"],
  vision: {
    tower: (json, width) =>
      checkTower({
        ...towerSizes(json, {
          image_size: 224,
          patch_size: 32,
          num_channels: 3,
          hidden_size: 1152,
          intermediate_size: 3072,
          num_hidden_layers: 12,
          num_attention_heads: 16,
          layer_norm_eps: 1e-6,
          hidden_act: "gelu_pytorch_tanh",
        }),
        ...PLAIN_TOWER,
        hasFinalNorm: true,
        connector: {
          fold: typeof json.scale_factor === "number" ? json.scale_factor : 2,
          hasBias: false,
        },
        width,
      }),
    names: {
      towers: ["model.vision_model.", "vision_model."],
      parts: CLIP_PARTS,
      connectors: [
        ["model.connector.modality_projection.proj"],
        ["connector.modality_projection.proj"],
      ],
    },
    processor: (files, config, contextLength) => {
      const rows = featuresPerSide(config) ** 2;
      return Idefics3Processor.load(files, { imageSize: config.imageSize, rows, contextLength });
    },
    markup: smolVlmMarkup,
  },
};
