import type { JsonObject } from "../checkpoint/files";
import type { ModelFamily } from "./family";
import { idefics3 } from "./idefics3/idefics3";
import { llava } from "./llava/llava";

const TEXT: ModelFamily = { title: "Llama and Qwen2", modelTypes: ["llama", "qwen2"] };

/** Every model family, the only list: what a directory is follows from its `model_type`. */
export const FAMILIES: readonly ModelFamily[] = [idefics3, llava, TEXT];

/** The family of a `config.json`; undefined: none that runs here. */
export function familyOf(json: JsonObject): ModelFamily | undefined {
  const type = String(json.model_type ?? "llama");
  return FAMILIES.find(({ modelTypes }) => modelTypes.includes(type));
}
