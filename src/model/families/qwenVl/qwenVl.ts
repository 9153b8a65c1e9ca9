import type { Activation } from "@/gpu/kernels/matmul/matmul";
import { shown } from "@/text/shown";
import type { JsonObject, ModelFiles } from "../../checkpoint/files";
import { ModelError } from "../../modelError";
import {
  checkGridTower,
  type GridTowerConfig,
  type MostPixels,
} from "../../vision/grid/gridConfig";
import type { GridTowerNames } from "../../vision/grid/gridNames";
import { activationOf } from "../../vision/towerConfig";
import type { FramePlace, GridVisionFamily, ImageProcessor, ModelFamily } from "../family";
import { preprocessorFiles } from "../preprocessor";
import { QwenVlFrames, type VideoRules } from "./frames";
import { qwenVlMarkup, TIMED, UNTIMED, type Videos } from "./markup";
import { QwenVlProcessor } from "./processor";

/** Where a repository keeps the settings of videos apart. */
const VIDEO_FILE = "video_preprocessor_config.json";

/** `vision_config` with what an absent field means to `transformers`. */
class VisionFields {
  readonly #fields: JsonObject;

  constructor(json: JsonObject, defaults: JsonObject) {
    this.#fields = { ...defaults, ...(json.vision_config as JsonObject | undefined) };
  }

  /** @throws ModelError */
  count(name: string): number {
    const value = this.#fields[name];
    if (Number.isSafeInteger(value) && Number(value) > 0) return Number(value);
    throw this.#wrong(name, "a whole number");
  }

  /** @throws ModelError */
  layers(name: string): readonly number[] {
    const value = this.#fields[name];
    const list: readonly unknown[] = Array.isArray(value) ? value : [undefined];
    const layers = this.count("depth");
    const isLayer = (n: unknown) => Number.isInteger(n) && Number(n) >= 0 && Number(n) < layers;
    if (list.every(isLayer) && new Set(list).size === list.length) return list as number[];
    throw this.#wrong(name, "a list of layers");
  }

  get activation(): Activation {
    return activationOf(this.#fields.hidden_act);
  }

  /** @throws ModelError unless the gated MLP's activation is SiLU */
  checkGated(): "gated" {
    const { hidden_act: activation } = this.#fields;
    if (activation === "silu") return "gated";
    const message = `The activation ${shown(activation)} of the vision encoder is not supported.`;
    throw new ModelError("unknownArchitecture", message);
  }

  #wrong(name: string, what: string): ModelError {
    const value = shown(this.#fields[name]);
    const message = `The field vision_config.${name} of config.json is ${value}, not ${what}.`;
    return new ModelError("badModel", message);
  }
}

/** What all three configurations have under the same names. */
function common(fields: VisionFields, hidden: number) {
  const heads = fields.count("num_heads");
  return {
    patchSize: fields.count("patch_size"),
    temporalPatchSize: fields.count("temporal_patch_size"),
    layers: fields.count("depth"),
    fold: fields.count("spatial_merge_size"),
    hidden,
    heads,
    headDim: hidden / heads,
    hasPatchBias: false,
    norm: "layer" as const,
    deepstack: [],
  };
}

const DEFAULTS = {
  num_heads: 16,
  patch_size: 14,
  temporal_patch_size: 2,
  spatial_merge_size: 2,
  depth: 32,
};

function qwen2Tower(json: JsonObject, width: number): GridTowerConfig {
  const defaults = { ...DEFAULTS, embed_dim: 1280, mlp_ratio: 4, in_chans: 3 };
  const fields = new VisionFields(json, { ...defaults, hidden_act: "quick_gelu" });
  const hidden = fields.count("embed_dim");
  return checkGridTower({
    ...common(fields, hidden),
    channels: fields.count("in_chans"),
    intermediate: Math.floor(hidden * fields.count("mlp_ratio")),
    mlp: fields.activation,
    width,
  });
}

function qwen25Tower(json: JsonObject, width: number): GridTowerConfig {
  const sizes = { hidden_size: 3584, intermediate_size: 3420, in_chans: 3, window_size: 112 };
  const times = { tokens_per_second: 4 };
  const defaults = { ...DEFAULTS, ...sizes, ...times, fullatt_block_indexes: [7, 15, 23, 31] };
  const fields = new VisionFields(json, { ...defaults, hidden_act: "silu" });
  const shared = common(fields, fields.count("hidden_size"));
  const { patchSize, fold } = shared;
  const side = Math.floor(Math.floor(fields.count("window_size") / fold) / patchSize);
  return checkGridTower({
    ...shared,
    channels: fields.count("in_chans"),
    intermediate: fields.count("intermediate_size"),
    norm: "rms",
    mlp: fields.checkGated(),
    window: { side: Math.max(1, side), fullLayers: fields.layers("fullatt_block_indexes") },
    positionsPerSecond: fields.count("tokens_per_second"),
    width,
  });
}

function qwen3Tower(json: JsonObject, width: number): GridTowerConfig {
  const sizes = { hidden_size: 1152, intermediate_size: 4304, in_channels: 3, depth: 27 };
  const positions = { num_position_embeddings: 2304, deepstack_visual_indexes: [8, 16, 24] };
  const defaults = { ...DEFAULTS, ...sizes, ...positions, patch_size: 16 };
  const fields = new VisionFields(json, { ...defaults, hidden_act: "gelu_pytorch_tanh" });
  return checkGridTower({
    ...common(fields, fields.count("hidden_size")),
    channels: fields.count("in_channels"),
    intermediate: fields.count("intermediate_size"),
    mlp: fields.activation,
    hasPatchBias: true,
    positionSide: Math.floor(Math.sqrt(fields.count("num_position_embeddings"))),
    deepstack: fields.layers("deepstack_visual_indexes"),
    width,
  });
}

const NAMES: GridTowerNames = {
  towers: ["visual.", "model.visual.", "vision_tower."],
  up: ["mlp.fc1"],
  down: "mlp.fc2",
  merger: { norm: "ln_q", first: "mlp.0", second: "mlp.2" },
};

const QWEN25_NAMES: GridTowerNames = {
  ...NAMES,
  up: ["mlp.gate_proj", "mlp.up_proj"],
  down: "mlp.down_proj",
};

const QWEN3_NAMES: GridTowerNames = {
  towers: ["model.visual.", "visual.", "vision_tower."],
  up: ["mlp.linear_fc1"],
  down: "mlp.linear_fc2",
  merger: { norm: "norm", first: "linear_fc1", second: "linear_fc2" },
  deepstack: "deepstack_merger_list.",
};

/** @throws ModelError */
async function loadProcessor(
  files: ModelFiles,
  config: GridTowerConfig,
  most: MostPixels,
  rules: VideoRules,
): Promise<ImageProcessor> {
  const { preprocessor, processor } = await preprocessorFiles(files);
  const own = processor?.video_processor ?? (await files.optionalJson(VIDEO_FILE));
  const videos = new QwenVlProcessor((own ?? preprocessor) as JsonObject, config, most);
  const frames = (place: FramePlace) => new QwenVlFrames(videos, place, rules);
  return new QwenVlProcessor(preprocessor, config, most, frames);
}

function vision(
  gridTower: GridVisionFamily["gridTower"],
  names: GridTowerNames,
  videos: Videos,
): GridVisionFamily {
  return {
    gridTower,
    names,
    processor: (files, config, most) => loadProcessor(files, config, most, videos.rules(config)),
    markup: (imageTokenId, videoTokenId) => qwenVlMarkup(videos, imageTokenId, videoTokenId),
  };
}

/** Qwen2-VL (https://arxiv.org/abs/2409.12191): full attention over images of any size. */
export const qwen2Vl: ModelFamily = {
  title: "Qwen2-VL",
  modelTypes: ["qwen2_vl"],
  decoder: "Qwen2, positions in three axes",
  images: "any size, 2 × 2 patches per row",
  examples: ["Qwen/Qwen2-VL-2B-Instruct"],
  vision: vision(qwen2Tower, NAMES, UNTIMED),
};

/** Qwen2.5-VL (https://arxiv.org/abs/2502.13923): attention within windows in most layers. */
export const qwen25Vl: ModelFamily = {
  title: "Qwen2.5-VL",
  modelTypes: ["qwen2_5_vl"],
  decoder: "Qwen2, positions in three axes",
  images: "any size, windowed attention",
  examples: ["Qwen/Qwen2.5-VL-3B-Instruct"],
  vision: vision(qwen25Tower, QWEN25_NAMES, UNTIMED),
};

/**
 * Qwen3-VL (https://arxiv.org/abs/2511.21631): learned positions, and features of earlier layers for the
 * decoder's first layers (DeepStack, https://arxiv.org/abs/2406.04334).
 */
export const qwen3Vl: ModelFamily = {
  title: "Qwen3-VL",
  modelTypes: ["qwen3_vl"],
  decoder: "Qwen3, positions in three axes",
  images: "any size, DeepStack",
  examples: ["Qwen/Qwen3-VL-2B-Instruct"],
  vision: vision(qwen3Tower, QWEN3_NAMES, TIMED),
};
