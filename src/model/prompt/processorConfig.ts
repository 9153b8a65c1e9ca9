import { shown } from "@/text/shown";
import type { JsonObject } from "../checkpoint/files";
import { ModelError } from "../modelError";

/** The contents of `preprocessor_config.json`, with the defaults of `transformers`. */
export interface ProcessorConfig {
  /** Pixels to which the longest edge is scaled; undefined: the image keeps its size. */
  readonly longestEdge: number | undefined;
  /** Pixels of an edge of the encoder's square. */
  readonly tileSize: number;
  /** Whether images are cut into tiles. */
  readonly splits: boolean;
  /** A value is (byte · scale − mean) / std. */
  readonly scale: number;
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

const SUPPORTED = ["Idefics3ImageProcessor", "SmolVLMImageProcessor"];
const FILE = "preprocessor_config.json";

/** @throws ModelError `badModel` */
export function parseProcessorConfig(config: JsonObject): ProcessorConfig {
  const name = String(config.image_processor_type ?? "").replace(/(Fast|Pil)$/, "");
  if (!SUPPORTED.includes(name)) {
    const what = shown(name) || "image processor";
    throw bad(`Images cannot be prepared for this model: its ${what} is not supported.`);
  }
  const edge = (field: "size" | "max_image_size", fallback: number) => {
    const given = config[field] as JsonObject | null | undefined;
    const value = given ? given.longest_edge : fallback;
    if (Number.isInteger(value) && (value as number) > 0) return value as number;
    throw bad(`The model's ${FILE} has no whole number of pixels as ${field}.longest_edge.`);
  };
  return {
    longestEdge: config.do_resize === false ? undefined : edge("size", 1456),
    tileSize: edge("max_image_size", 364),
    splits: config.do_image_splitting !== false,
    scale: config.do_rescale === false ? 1 : scaleOf(config),
    ...(config.do_normalize === false
      ? { mean: [0, 0, 0], std: [1, 1, 1] }
      : { mean: colors(config, "image_mean"), std: deviations(config) }),
  };
}

function scaleOf({ rescale_factor: factor = 1 / 255 }: JsonObject): number {
  if (typeof factor === "number" && factor > 0 && Number.isFinite(factor)) return factor;
  throw bad(`The model's ${FILE} has no number above 0 as rescale_factor.`);
}

function deviations(config: JsonObject): readonly number[] {
  const std = colors(config, "image_std");
  if (std.every((value) => value > 0)) return std;
  throw bad(`The model's ${FILE} has an image_std that is not above 0.`);
}

/** One number per colour; a single number stands for all three. */
function colors(config: JsonObject, field: "image_mean" | "image_std"): readonly number[] {
  const given = config[field] ?? 0.5;
  const values = typeof given === "number" ? [given, given, given] : given;
  const isValid = Array.isArray(values) && values.length === 3 && values.every(Number.isFinite);
  if (isValid) return values as number[];
  throw bad(`The model's ${FILE} does not have three numbers as ${field}.`);
}

function bad(message: string): ModelError {
  return new ModelError("badModel", message);
}
