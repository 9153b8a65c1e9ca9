import type { ResampleFilter } from "@/images/resample";
import { shown } from "@/text/shown";
import type { JsonObject } from "../../checkpoint/files";
import { ModelError } from "../../modelError";
import { type Normalization, normalizationOf, pillowFilter } from "../preprocessor";

/** The contents of `preprocessor_config.json`, with the defaults of `transformers`. */
export interface Idefics3ProcessorConfig {
  /** Pixels to which the longest edge is scaled; undefined: the image keeps its size. */
  readonly longestEdge: number | undefined;
  /** Pixels of an edge of the encoder's square. */
  readonly tileSize: number;
  /** Whether images are cut into tiles. */
  readonly splits: boolean;
  readonly filter: ResampleFilter;
  readonly normalization: Normalization;
}

const SUPPORTED = ["Idefics3ImageProcessor", "SmolVLMImageProcessor"];
const FILE = "preprocessor_config.json";

/** @throws ModelError `badModel` */
export function parseProcessorConfig(config: JsonObject): Idefics3ProcessorConfig {
  const name = shown(config.image_processor_type ?? "").replace(/(Fast|Pil)$/, "");
  if (!SUPPORTED.includes(name)) {
    const what = shown(name) || "image processor";
    throw bad(`Images cannot be prepared for this model: its ${what} is not supported.`);
  }
  const edge = (field: "size" | "max_image_size", fallback: number) => {
    const given = config[field] as JsonObject | null | undefined;
    const value = given ? given.longest_edge : fallback;
    if (Number.isSafeInteger(value) && (value as number) > 0) return value as number;
    throw bad(`The model's ${FILE} has no whole number of pixels as ${field}.longest_edge.`);
  };
  return {
    longestEdge: config.do_resize === false ? undefined : edge("size", 1456),
    tileSize: edge("max_image_size", 364),
    splits: config.do_image_splitting !== false,
    filter: pillowFilter(config.resample ?? 1),
    normalization: normalizationOf(config),
  };
}

function bad(message: string): ModelError {
  return new ModelError("badModel", message);
}
