import type { ModelFamily } from "@/model/families/family";
import { FAMILIES } from "@/model/families/registry";

/** The registry of model families as Markdown: one table row per family. */
function modelTable(): string {
  const header = "| family | `model_type` | decoder | images | for example | published weights |";
  return [header, "| --- | --- | --- | --- | --- | --- |", ...FAMILIES.map(row)].join("\n");
}

/** The README with the table between its markers. */
export function withModelTable(readme: string): string {
  const section = /(<!-- models -->\n)[\s\S]*?(\n<!-- \/models -->)/;
  if (!section.test(readme))
    throw new RangeError("the README lacks the markers of its model table");
  return readme.replace(section, (_, start, end) => `${start}${modelTable()}${end}`);
}

function row(family: ModelFamily): string {
  const { title, modelTypes, decoder, images = "–", examples, verified = [] } = family;
  const types = modelTypes.map((type) => `\`${type}\``).join(", ");
  const link = (id: string) => `[${id}](https://huggingface.co/${id})`;
  const weights = verified.map(link).join(", ") || "not yet";
  return `| ${title} | ${types} | ${decoder} | ${images} | ${examples.map(link).join(", ")} | ${weights} |`;
}
