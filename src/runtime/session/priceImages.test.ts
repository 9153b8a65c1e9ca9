import fs from "node:fs";
import { expect, it } from "vitest";
import { parseConfig } from "@/model/checkpoint/config";
import { ModelFiles } from "@/model/checkpoint/files";
import { openVision } from "@/model/families/openVision";
import { familyOf } from "@/model/families/registry";
import { PromptBuilder } from "@/model/prompt/prompt";
import { Tokenizer } from "@/model/prompt/tokenizer";
import { OUTLINE_IMAGE } from "@/protocol/model";
import { FAMILY_FIXTURES, readFamily } from "../../../test/families";
import { diskFetch, diskUrl } from "../../../test/files";
import type { LoadedModel } from "../load/loadedModel";
import { outlineModel } from "../load/outline";
import { priceImages } from "./priceImages";

const WITH_IMAGES = [
  ...["smolvlm", "smolvlm2", "llava-1.5", "llava-next-vicuna"],
  ...["llava-onevision", "internvl3", "qwen2-vl", "qwen2.5-vl", "qwen3-vl"],
];
const PICTURES: readonly { name: string; width: number; height: number }[] = JSON.parse(
  fs.readFileSync(`${FAMILY_FIXTURES}/index.json`, "utf8"),
).pictures;

it.each(WITH_IMAGES)(
  "prices pictures of %s by PyTorch's prompts, before anything is encoded",
  async (name) => {
    const { directory, cases } = readFamily(name);
    const folder = `${FAMILY_FIXTURES}/${directory}`;
    const text = fs.readFileSync(`${folder}/config.json`, "utf8");
    const json = JSON.parse(text);
    const files = new ModelFiles(diskUrl(folder), { fetch: diskFetch });
    const config = parseConfig(json);
    const family = familyOf(json)!.vision!;
    const markup = family.markup(json.image_token_id ?? json.image_token_index);
    const processor = await openVision(family, json, config).processor(files);
    const prompts = new PromptBuilder(await Tokenizer.load(files), markup, []);
    const model = { vision: { processor }, prompts, info: { bytesPerRow: 10 } };
    const price = (picture: string) => {
      const size = PICTURES.find((each) => each.name === picture)!;
      return priceImages(model as unknown as LoadedModel, [size]);
    };
    for (const picture of ["tall", "wide"]) {
      const { inputIds, messages } = cases.find((each) => each.name === picture)!;
      const question = (messages[0]!.content as readonly { readonly text?: string }[])
        .map(({ text }) => text ?? "")
        .join("");
      const { ids } = prompts.build([{ images: [], question }]);
      expect(price(picture).tokens, picture).toBe(inputIds.length - ids.length);
    }
    expect(price("tall").kvBytes).toBe(10 * price("tall").tokens);

    const beside = Object.fromEntries(
      ["preprocessor_config.json", "processor_config.json"]
        .filter((file) => fs.existsSync(`${folder}/${file}`))
        .map((file) => [file, fs.readFileSync(`${folder}/${file}`, "utf8")]),
    );
    const { rowsPerImage } = await outlineModel(text, beside);
    const { tokens } = priceImages(model as unknown as LoadedModel, [OUTLINE_IMAGE]);
    expect(rowsPerImage).toBeGreaterThan(0);
    expect(rowsPerImage).toBeLessThanOrEqual(tokens);
    expect((await outlineModel(text)).rowsPerImage).toBeUndefined();
  },
);
