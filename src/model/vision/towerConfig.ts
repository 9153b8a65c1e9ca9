import type { Activation } from "@/gpu/kernels/matmul/matmul";
import { shown } from "@/text/shown";
import { ModelError } from "../modelError";

/** Shape and constants of a vision transformer and of the connector behind it. */
export interface TowerConfig {
  /** Side of its square input images, in pixels. */
  readonly imageSize: number;
  /** Side of a patch, in pixels. */
  readonly patchSize: number;
  readonly channels: number;
  readonly hidden: number;
  readonly intermediate: number;
  readonly layers: number;
  readonly heads: number;
  readonly headDim: number;
  readonly activation: Activation;
  readonly normEpsilon: number;
  /** The connector folds fold × fold neighbouring patches into one row (pixel shuffle). */
  readonly fold: number;
  /** Width of a feature row: the decoder's hidden size. */
  readonly width: number;
}

type Json = { readonly [key: string]: unknown };

const ACTIVATIONS: Readonly<Record<string, Activation>> = {
  gelu: "gelu",
  gelu_pytorch_tanh: "geluTanh",
  quick_gelu: "quickGelu",
};

/**
 * Reads the vision part of an Idefics3 or SmolVLM `config.json`. Absent fields have the defaults of
 * `transformers` (`Idefics3VisionConfig`).
 * @param width the decoder's hidden size
 * @throws ModelError naming the invalid or unsupported field.
 */
export function parseTowerConfig(json: Json, width: number): TowerConfig {
  const vision = (json.vision_config ?? {}) as Json;
  const size = (name: string, fallback: number) => {
    const value = vision[name] ?? fallback;
    if (typeof value === "number" && Number.isInteger(value) && value > 0) return value;
    const what = shown(value);
    throw bad(`The field vision_config.${name} of config.json is ${what}, not a whole number.`);
  };
  const name = String(vision.hidden_act ?? "gelu_pytorch_tanh");
  const activation = Object.hasOwn(ACTIVATIONS, name) ? ACTIVATIONS[name] : undefined;
  if (!activation) {
    const message = `The activation ${shown(name)} of the vision encoder is not supported.`;
    throw new ModelError("unknownArchitecture", message);
  }
  const hidden = size("hidden_size", 1152);
  const heads = size("num_attention_heads", 16);
  const config: TowerConfig = {
    imageSize: size("image_size", 224),
    patchSize: size("patch_size", 32),
    channels: size("num_channels", 3),
    hidden,
    intermediate: size("intermediate_size", 3072),
    layers: size("num_hidden_layers", 12),
    heads,
    headDim: hidden / heads,
    activation,
    normEpsilon: typeof vision.layer_norm_eps === "number" ? vision.layer_norm_eps : 1e-6,
    fold: typeof json.scale_factor === "number" ? json.scale_factor : 2,
    width,
  };
  return checked(config);
}

/** Patches along a side of the image. */
export function patchesPerSide({ imageSize, patchSize }: TowerConfig): number {
  return Math.floor(imageSize / patchSize);
}

/** Feature rows of one image. */
export function rowsPerImage(config: TowerConfig): number {
  return (patchesPerSide(config) / config.fold) ** 2;
}

function checked(config: TowerConfig): TowerConfig {
  const multiples = {
    hidden_size: config.hidden,
    intermediate_size: config.intermediate,
    "hidden_size / num_attention_heads": config.headDim,
    "num_channels × patch_size²": config.channels * config.patchSize ** 2,
  };
  for (const [name, value] of Object.entries(multiples)) {
    if (value % 4 === 0) continue;
    const message = `Sizes must be multiples of 4, but ${name} of the vision encoder is ${value}.`;
    throw new ModelError("unknownArchitecture", message);
  }
  const side = patchesPerSide(config);
  if (side === 0 || side % config.fold !== 0) {
    throw bad(`Images of ${side} × ${side} patches cannot be folded by ${config.fold}.`);
  }
  return config;
}

function bad(message: string): ModelError {
  return new ModelError("badModel", message);
}
