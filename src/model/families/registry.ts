import { shown } from "@/text/shown";
import type { JsonObject } from "../checkpoint/files";
import type { ModelFamily } from "./family";
import { idefics3 } from "./idefics3/idefics3";
import { internVl } from "./internvl/internvl";
import { llava, llavaNext } from "./llava/llava";
import { oneVision } from "./llava/oneVision";
import { qwen2Vl, qwen3Vl, qwen25Vl } from "./qwenVl/qwenVl";

const TEXT: ModelFamily = {
  title: "Llama, Qwen2 and Qwen3",
  modelTypes: ["llama", "qwen2", "qwen3"],
  decoder: "themselves",
  examples: ["meta-llama/Llama-3.2-1B-Instruct", "Qwen/Qwen2-0.5B-Instruct", "Qwen/Qwen3-0.6B"],
};

/** The only list of model families; `model_type` selects one. */
export const FAMILIES: readonly ModelFamily[] = [
  idefics3,
  llava,
  llavaNext,
  oneVision,
  internVl,
  qwen2Vl,
  qwen25Vl,
  qwen3Vl,
  TEXT,
];

/** The family of a `config.json`; undefined if it is not supported. */
export function familyOf(json: JsonObject): ModelFamily | undefined {
  const type = shown(json.model_type ?? "llama");
  return FAMILIES.find(({ modelTypes }) => modelTypes.includes(type));
}
