import fs from "node:fs";
import { resample } from "@/images/resample";
import { type DecoderConfig, parseConfig } from "@/model/checkpoint/config";
import { type JsonObject, ModelFiles } from "@/model/checkpoint/files";
import type { ImageProcessor, ProcessedImage } from "@/model/families/family";
import { type OpenedVision, openVision } from "@/model/families/openVision";
import { familyOf } from "@/model/families/registry";
import type { ImageMarkup } from "@/model/prompt/imageMarkup";
import { PromptBuilder, type PromptTile, type PromptTurn } from "@/model/prompt/prompt";
import { Tokenizer } from "@/model/prompt/tokenizer";
import { readPng } from "../cli/shared/png";
import { FAMILY_FIXTURES, FamilyArrays, type FamilyCase, readFamily } from "./families";
import { diskFetch, diskUrl } from "./files";

/** Templates that write earlier turns in another way than when they were asked. */
const REWRITTEN = new Set(["llava-onevision"]);

interface TestPicture {
  readonly picture: string;
  /** Pictures of its turn. */
  readonly turnImages: number;
}

/** A case as it is given to a decoder: the recorded ids, and which rows are images. */
interface CasePrompt {
  readonly tiles: readonly PromptTile[];
  /** Where the first turn's prompt ends; undefined: there is one turn. */
  readonly firstEnd: number | undefined;
}

/** A directory of `fixtures/families`, opened without its weights, and its recording. */
export class FamilyModel {
  readonly folder: string;
  readonly json: JsonObject;
  readonly config: DecoderConfig;
  readonly cases: readonly FamilyCase[];
  readonly arrays: FamilyArrays;
  readonly files: ModelFiles;
  readonly vision: OpenedVision | undefined;
  readonly markup: ImageMarkup | undefined;
  readonly tokenizer: Tokenizer;
  readonly prompts: PromptBuilder;
  /** By the names of the recording: `busy-base` is `busy` beside other pictures. */
  readonly pictures = new Map<string, ProcessedImage>();
  readonly #rewrites: boolean;

  private constructor(name: string, tokenizer: Tokenizer, files: ModelFiles) {
    const { directory, cases } = readFamily(name);
    this.folder = `${FAMILY_FIXTURES}/${directory}`;
    this.json = JSON.parse(fs.readFileSync(`${this.folder}/config.json`, "utf8"));
    this.config = parseConfig(this.json);
    this.cases = cases;
    this.arrays = new FamilyArrays(name);
    this.files = files;
    this.tokenizer = tokenizer;
    const vision = familyOf(this.json)?.vision;
    this.vision = vision && openVision(vision, this.json, this.config);
    const imageTokenId = this.json.image_token_id ?? this.json.image_token_index;
    this.markup = vision?.markup(imageTokenId as number);
    this.prompts = new PromptBuilder(tokenizer, this.markup, []);
    this.#rewrites = REWRITTEN.has(name);
  }

  static async open(name: string): Promise<FamilyModel> {
    const files = new ModelFiles(diskUrl(`${FAMILY_FIXTURES}/${name}`), { fetch: diskFetch });
    const model = new FamilyModel(name, await Tokenizer.load(files), files);
    const processor = await model.vision?.processor(files);
    for (const test of processor ? model.cases : []) {
      for (const [i, shown] of picturesOf(test).entries()) {
        const key = test.images[i] as string;
        if (!model.pictures.has(key)) model.pictures.set(key, processed(processor!, shown));
      }
    }
    return model;
  }

  /**
   * The case's turns, and the ids of their prompt. An answer is what stands between two questions in the
   * recorded ids.
   */
  conversation(test: FamilyCase): { turns: PromptTurn[]; expected: readonly number[] } {
    const images = test.images.values();
    const expected = this.#rewrites ? this.#standing(test.inputIds) : test.inputIds;
    const turns: PromptTurn[] = [];
    for (const message of test.messages.filter(({ role }) => role === "user")) {
      const own = picturesOf({ messages: [message] }).map(() => images.next().value as string);
      const turn = {
        question: textOf(message),
        images: own.map((key) => ({ key, ...this.pictures.get(key)!.geometry })),
      };
      const previous = turns.pop();
      if (previous) {
        const start = this.prompts.build([...turns, previous]).ids.length;
        const whole = this.prompts.build([...turns, { ...previous, answerIds: [] }, turn]);
        const end = lastIndexOf(expected, whole.ids.slice(whole.turnStarts.at(-1)));
        turns.push({ ...previous, answerIds: expected.slice(start, end) });
      }
      turns.push(turn);
    }
    return { turns, expected };
  }

  /** The recorded ids as a prompt. In a rewritten one the second turn stands a few ids later. */
  prompt({ inputIds, ...test }: FamilyCase): CasePrompt {
    const { turns } = this.conversation({ inputIds, ...test });
    const { ids, tiles } = this.prompts.build(turns);
    const [first, second] = turns;
    if (!second) return { tiles, firstEnd: undefined };
    const asked = this.prompts.build([{ ...first!, answerIds: [] }]).ids;
    const agreeing = asked.findIndex((id, i) => id !== inputIds[i]);
    const firstEnd = agreeing < 0 ? asked.length : agreeing;
    const later = inputIds.length - ids.length;
    const shifted = tiles.map((tile) =>
      tile.start < firstEnd ? tile : { ...tile, start: tile.start + later },
    );
    return { tiles: shifted, firstEnd };
  }

  /** A prompt in which the first turn stands as it was written when it was asked. */
  #standing(ids: readonly number[]): readonly number[] {
    const [rewritten, written] = ["assistant \n", "assistant\n"].map((text) =>
      this.tokenizer.encode(text),
    );
    const at = [...ids.keys()].find((i) => rewritten!.every((id, j) => ids[i + j] === id));
    if (at === undefined) return ids;
    return [...ids.slice(0, at), ...written!, ...ids.slice(at + rewritten!.length)];
  }
}

export function textOf({ content }: FamilyCase["messages"][number]): string {
  if (typeof content === "string") return content;
  return content.flatMap((part) => (part.type === "text" ? [part.text] : [])).join("");
}

function picturesOf({ messages }: Pick<FamilyCase, "messages">): TestPicture[] {
  return messages.flatMap(({ content }) => {
    const parts = typeof content === "string" ? [] : content;
    const own = parts.flatMap((part) => (part.type === "image" ? [part.picture] : []));
    return own.map((picture) => ({ picture, turnImages: own.length }));
  });
}

function processed(
  processor: ImageProcessor,
  { picture, turnImages }: TestPicture,
): ProcessedImage {
  const raster = readPng(`${FAMILY_FIXTURES}/pictures/${picture}.png`);
  const [width, height] = processor.sizeFor(raster.width, raster.height);
  const from = [raster.width, raster.height] as const;
  const data = resample(raster.data, from, [width, height], processor.filter);
  return processor.process({ data, width, height }, turnImages);
}

/** Where `part` begins in `whole`, at its last occurrence; −1 if it does not occur. */
function lastIndexOf(whole: readonly number[], part: readonly number[]): number {
  const starts = [...whole.keys()].filter((at) => part.every((id, i) => whole[at + i] === id));
  return starts.at(-1) ?? -1;
}
