import { shown } from "@/text/shown";
import { ModelError } from "../modelError";
import type { JsonObject, ModelFiles } from "./files";

const GENERATION = "generation_config.json";
const CONFIG = "config.json";

/**
 * Ids at which generation stops: `eos_token_id`, one or several. As in `transformers` 5 a field of
 * `generation_config.json` decides, and null or an empty list there stops at nothing.
 * @throws ModelError for a directory without the field, and for ids that are none
 */
export async function readStopIds(files: ModelFiles, config: JsonObject): Promise<number[]> {
  const generation = await files.optionalJson(GENERATION);
  if (generation?.eos_token_id !== undefined) return idsOf(GENERATION, generation.eos_token_id);
  const text = config.text_config as JsonObject | undefined;
  const given = config.eos_token_id ?? text?.eos_token_id;
  if (given !== undefined && given !== null) return idsOf(CONFIG, given);
  throw new ModelError("badModel", "The model's files name no eos_token_id to stop at.");
}

function idsOf(file: string, given: unknown): number[] {
  const ids = [given ?? []].flat();
  const wrong = ids.find((id) => !Number.isInteger(id));
  if (wrong === undefined) return ids as number[];
  const what = `The eos_token_id of the model's ${file} is ${shown(wrong)}, not a token id.`;
  throw new ModelError("badModel", what);
}
