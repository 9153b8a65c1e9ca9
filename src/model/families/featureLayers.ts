import { shown } from "@/text/shown";
import type { JsonObject } from "../checkpoint/files";
import { ModelError } from "../modelError";

/** What a family's configuration means where it leaves the fields out. */
interface FeatureDefaults {
  readonly layer: number;
  /** `default` leaves the class token out, `full` takes every row: for towers without one. */
  readonly strategy: "default" | "full";
}

/**
 * Number of layers to run for the hidden state `vision_feature_layer`; −1 is the last layer's.
 * @param layers that the tower has
 * @throws ModelError for a layer that does not exist, or another selection of rows
 */
export function featureLayers(json: JsonObject, layers: number, defaults: FeatureDefaults): number {
  const layer = json.vision_feature_layer ?? defaults.layer;
  const strategy = json.vision_feature_select_strategy ?? defaults.strategy;
  if (strategy !== defaults.strategy) {
    const message = `The feature selection ${shown(strategy)} of the vision encoder is not supported.`;
    throw new ModelError("unknownArchitecture", message);
  }
  if (typeof layer === "number" && Number.isInteger(layer)) {
    const count = layer < 0 ? layers + 1 + layer : layer;
    if (count > 0 && count <= layers) return count;
  }
  const message = `The field vision_feature_layer of config.json is ${shown(layer)}, not a layer.`;
  throw new ModelError("badModel", message);
}
