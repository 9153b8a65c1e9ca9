import type { Activation } from "@/gpu/kernels/matmul/matmul";
import { shown } from "@/text/shown";
import type { JsonObject } from "../checkpoint/files";
import { ModelError } from "../modelError";

/** Shape and constants of a vision transformer and of the connector behind it. */
export interface TowerConfig {
  /** Side of its square input images, in pixels. */
  readonly imageSize: number;
  /** Patches along a side of the images of its training, where `imageSize` is smaller. */
  readonly trainedSide?: number;
  /** Side of a patch, in pixels. */
  readonly patchSize: number;
  readonly channels: number;
  readonly hidden: number;
  readonly intermediate: number;
  /** Layers that run: fewer than the checkpoint has where features come from an earlier one. */
  readonly layers: number;
  readonly heads: number;
  readonly headDim: number;
  readonly activation: Activation;
  readonly normEpsilon: number;
  readonly norm: "layer" | "rms";
  readonly hasPatchBias: boolean;
  readonly hasQkvBias: boolean;
  /** RMSNorm of all queries and all keys of a row. */
  readonly hasQkNorm: boolean;
  /** Factors of what attention and the MLP add, element by element (layer scale). */
  readonly hasLayerScale: boolean;
  /** A learned row before the patches, which the connector does not see. */
  readonly hasClassToken: boolean;
  /** A norm before the first layer. */
  readonly hasPreNorm: boolean;
  /** A norm behind the last layer. */
  readonly hasFinalNorm: boolean;
  readonly connector: ConnectorConfig;
  /** Width of a feature row: the decoder's hidden size. */
  readonly width: number;
}

/** What makes feature rows of patches. */
interface ConnectorConfig {
  /** Folds fold × fold neighbouring patches into one row (pixel shuffle). */
  readonly fold: number;
  /** A layer norm of the folded rows, with PyTorch's default epsilon. */
  readonly hasNorm?: boolean;
  /** One projection, or two with an activation between them. */
  readonly activation?: Activation;
  readonly hasBias: boolean;
}

const ACTIVATIONS: ReadonlyMap<unknown, Activation> = new Map([
  ["gelu", "gelu"],
  ["gelu_pytorch_tanh", "geluTanh"],
  ["quick_gelu", "quickGelu"],
]);

/** @throws ModelError for a function that no kernel computes */
export function activationOf(name: unknown): Activation {
  const activation = ACTIVATIONS.get(name);
  if (activation) return activation;
  const message = `The activation ${shown(name)} of the vision encoder is not supported.`;
  throw new ModelError("unknownArchitecture", message);
}

/** The sizes that `vision_config` names, each with what an absent field means to `transformers`. */
interface TowerDefaults {
  readonly image_size: number;
  readonly patch_size: number;
  readonly num_channels: number;
  readonly hidden_size: number;
  readonly intermediate_size: number;
  readonly num_hidden_layers: number;
  readonly num_attention_heads: number;
  readonly layer_norm_eps: number;
  readonly hidden_act: string;
}

/** A plain transformer: layer norms, biases, nothing more. */
export const PLAIN_TOWER = {
  norm: "layer",
  hasPatchBias: true,
  hasQkvBias: true,
  hasQkNorm: false,
  hasLayerScale: false,
  hasClassToken: false,
  hasPreNorm: false,
  hasFinalNorm: false,
} as const;

type TowerSizes = Pick<
  TowerConfig,
  | "imageSize"
  | "patchSize"
  | "channels"
  | "hidden"
  | "intermediate"
  | "layers"
  | "heads"
  | "headDim"
  | "activation"
  | "normEpsilon"
>;

/** @throws ModelError naming the field that is wrong or not covered */
export function towerSizes(json: JsonObject, defaults: TowerDefaults): TowerSizes {
  const vision = { ...defaults, ...(json.vision_config as JsonObject | undefined) };
  const size = (name: keyof TowerDefaults) => {
    const given: unknown = vision[name];
    // InternVL states the sides of a square one by one.
    const value = Array.isArray(given) && given[0] === given[1] ? given[0] : given;
    if (isCount(value)) return value;
    const what = shown(value);
    throw bad(`The field vision_config.${name} of config.json is ${what}, not a whole number.`);
  };
  const hidden = size("hidden_size");
  const heads = size("num_attention_heads");
  return {
    imageSize: size("image_size"),
    patchSize: size("patch_size"),
    channels: size("num_channels"),
    hidden,
    intermediate: size("intermediate_size"),
    layers: size("num_hidden_layers"),
    heads,
    headDim: hidden / heads,
    activation: activationOf(vision.hidden_act),
    normEpsilon: epsilonOf(vision.layer_norm_eps),
  };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

function epsilonOf(value: unknown): number {
  if (typeof value === "number" && value > 0 && Number.isFinite(value)) return value;
  const field = "The field vision_config.layer_norm_eps of config.json";
  throw bad(`${field} is ${shown(value)}, not a positive number.`);
}

/** Patches along a side of the image; what is left over at its end is not seen. */
export function patchesPerSide({ imageSize, patchSize }: TowerConfig): number {
  return Math.floor(imageSize / patchSize);
}

/** Columns of the patch matrix: kernels read four at a time, so that zeros may fill the last four. */
export function patchColumns({ channels, patchSize }: TowerConfig): number {
  return Math.ceil((channels * patchSize ** 2) / 4) * 4;
}

/** Rows of the transformer for one image. */
export function towerRows(config: TowerConfig): number {
  return patchesPerSide(config) ** 2 + Number(config.hasClassToken);
}

/** Rows that are encoded at a time: bounds the scratch, whatever the number of tiles. */
const MAX_ROWS = 2048;

/** Tiles that are encoded at a time. */
export function tilesAtOnce(config: TowerConfig): number {
  return Math.max(1, Math.floor(MAX_ROWS / towerRows(config)));
}

/** Whether `smallerTower` makes sense: a class token has learned to sum up a whole grid. */
export function smallerOf({ hasClassToken }: TowerConfig): "tiles" | undefined {
  return hasClassToken ? undefined : "tiles";
}

/** The same tower for tiles of `imageSize` pixels. @throws RangeError */
export function smallerTower(config: TowerConfig, imageSize: number): TowerConfig {
  const unit = config.patchSize * config.connector.fold;
  const isCovered = imageSize > 0 && imageSize < config.imageSize && imageSize % unit === 0;
  if (isCovered && smallerOf(config)) {
    return { ...config, imageSize, trainedSide: patchesPerSide(config) };
  }
  throw new RangeError(`tiles of ${imageSize} pixels, to an encoder of ${config.imageSize}`);
}

/**
 * The learned position of each patch, in reading order. A grid of s × s patches takes those of its
 * training's S × S at the same fractions of the image: row i that of row ⌊iS / s⌋, columns alike
 * (Idefics3's `bucketize` of i / s by the multiples of 1 / S).
 */
export function positionsOf(config: TowerConfig): readonly number[] {
  const side = patchesPerSide(config);
  const { trainedSide = side } = config;
  const nearest = (i: number) => Math.floor((i * trainedSide) / side);
  return Array.from({ length: side ** 2 }, (_, patch) => {
    return nearest(Math.floor(patch / side)) * trainedSide + nearest(patch % side);
  });
}

/** Feature rows along a side of the image. */
export function featuresPerSide(config: TowerConfig): number {
  return patchesPerSide(config) / config.connector.fold;
}

/** Patches along a side: more than any encoder of square images has. */
const MOST_PATCHES = 256;

/** @throws ModelError unless images have colours */
export function checkChannels({ channels }: { readonly channels: number }): void {
  if (channels === 3) return;
  const message = `Images have 3 channels, but the vision encoder takes ${channels}.`;
  throw new ModelError("unknownArchitecture", message);
}

/** @throws ModelError unless the kernels can read all of these sizes as vectors of four */
export function checkSizes(sizes: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(sizes)) {
    if (value % 4 === 0) continue;
    const message = `Sizes must be multiples of 4, but ${name} of the vision encoder is ${value}.`;
    throw new ModelError("unknownArchitecture", message);
  }
}

/** @throws ModelError for what the kernels do not cover */
export function checkTower(config: TowerConfig): TowerConfig {
  checkSizes({
    hidden_size: config.hidden,
    "hidden_size / num_attention_heads": config.headDim,
  });
  checkChannels(config);
  const side = patchesPerSide(config);
  const { fold } = config.connector;
  if (side > 0 && side <= MOST_PATCHES && isCount(fold) && Number.isInteger(side / fold))
    return config;
  throw bad(`Images of ${side} × ${side} patches cannot be folded by ${fold}.`);
}

function bad(message: string): ModelError {
  return new ModelError("badModel", message);
}
