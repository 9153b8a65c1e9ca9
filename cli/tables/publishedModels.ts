import fs from "node:fs";
import type { JsonObject } from "@/model/checkpoint/files";
import type { ModelOutline } from "@/protocol/model";
import { outlineModel } from "@/runtime/load/outline";

const FOLDER = "reference/published";
/** What the page reads. */
export const PUBLISHED_TABLE = "src/store/models/published.json";

/** A published model's configuration, as far as the engine reads it. */
interface PublishedConfig {
  readonly id: string;
  /** Number of parameters that its page on the Hub states. */
  readonly parameters: number;
  readonly config: JsonObject;
  /** Files of its image processor, by name. */
  readonly files: Readonly<Record<string, JsonObject>>;
}

/** A model with what it costs, smallest first. */
interface PublishedOutline extends ModelOutline {
  readonly id: string;
}

/** All files of `reference/published`. */
export function publishedConfigs(): readonly PublishedConfig[] {
  const names = fs.readdirSync(FOLDER).filter((name) => name.endsWith(".json"));
  return names.map((name) => JSON.parse(fs.readFileSync(`${FOLDER}/${name}`, "utf8")));
}

/** What the published models cost, from their configurations alone. */
export async function publishedOutlines(): Promise<readonly PublishedOutline[]> {
  const outlines = publishedConfigs().map(async ({ id, config, files }) => {
    const texts = Object.entries(files).map(
      ([name, json]) => [name, JSON.stringify(json)] as const,
    );
    return { id, ...(await outlineModel(JSON.stringify(config), Object.fromEntries(texts))) };
  });
  const all = await Promise.all(outlines);
  return all.toSorted((a, b) => (a.weightBytes ?? 0) - (b.weightBytes ?? 0));
}
