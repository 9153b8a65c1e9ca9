import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { greedy } from "@/protocol/defaults";
import type { ModelInfo } from "@/protocol/model";
import type { TurnResult } from "@/protocol/result";
import { openEngine } from "../shared/engine";
import { inputError, parseCommandLine, usageError, writeDocument } from "../shared/options";

const USAGE = `npm run ask -- --model DIR --verify [--kv-type f16|f32] [--json FILE|-]

Asks the question of DIR/recorded.json about its picture, and compares the prompt's ids and the greedy
answer with those of PyTorch. The exit status is 0 only if all are the same. The picture is beside
recorded.json or among public/samples. The cache is f32 by default, as PyTorch's.
`;

/** `recorded.json`: what PyTorch answered (`reference/record_directory.py`). */
interface RecordedAnswer {
  readonly transformers: string;
  readonly torch: string;
  readonly picture: { readonly file: string; readonly sha256: string };
  readonly question: string;
  readonly inputIds: readonly number[];
  /** Greedy tokens of float32 weights and activations. */
  readonly greedyIds: readonly number[];
  /** Smallest distance of the two best logits among the answer's steps. */
  readonly smallestMargin: number;
}

/** What `--json` writes. */
export interface VerifyDocument {
  readonly adapter: ModelInfo["adapter"];
  readonly model: string;
  readonly elementType: string;
  readonly kvType: string;
  readonly prompt: IdComparison;
  readonly answer: IdComparison;
  readonly smallestMargin: number;
  readonly same: boolean;
}

interface IdComparison {
  readonly recorded: readonly number[];
  readonly here: readonly number[];
  /** Ids before the first difference. */
  readonly equal: number;
  readonly same: boolean;
}

/** How far two lists of ids agree. */
export function compareIds(recorded: readonly number[], here: readonly number[]): IdComparison {
  const length = Math.max(recorded.length, here.length);
  const first = Array.from({ length }, (_, i) => i).find((i) => recorded[i] !== here[i]);
  return { recorded, here, equal: first ?? length, same: first === undefined };
}

/** Sentences for a person. */
export function describeVerification(document: VerifyDocument): string {
  const { prompt, answer, smallestMargin, same } = document;
  const line = (name: string, { recorded, here, equal }: IdComparison) =>
    `${name}: the first ${equal} of ${recorded.length} ids are PyTorch's; ${here.length} here.\n`;
  const close = `PyTorch's two best logits were ${smallestMargin} apart at the closest step`;
  const hint = "a difference that small can change with the order of additions";
  return [
    line("Prompt", prompt),
    line("Answer", answer),
    same || !prompt.same ? "" : `${close}; ${hint}.\n`,
    same
      ? "This model runs here as in PyTorch.\n"
      : "This model does not run here as in PyTorch.\n",
  ].join("");
}

/** `npm run ask -- --verify`. @returns the exit status */
export async function verify(argv: readonly string[]): Promise<number> {
  const { model, kvType, json } = parseVerify(argv);
  const recorded = readRecorded(model);
  const image = readsImages(model) ? pictureOf(model, recorded) : undefined;
  const page = await openEngine(model, image === undefined ? {} : { picture: image });
  try {
    const info = await page.load({ kvType });
    const result = await page.ask({
      turns: [{ images: image === undefined ? [] : ["picture"], question: recorded.question }],
      settings: { policy: "full", retention: 1, scope: "visual", options: {} },
      sampling: greedy(recorded.greedyIds.length),
      promptIds: true,
    });
    const document = verification(model, info, recorded, result);
    if (json !== "-") process.stdout.write(describeVerification(document));
    writeDocument(json, document);
    return document.same ? 0 : 1;
  } finally {
    await page.close();
  }
}

function verification(
  model: string,
  { adapter, elementType, kvType }: ModelInfo,
  recorded: RecordedAnswer,
  { promptIds = [], tokenIds }: TurnResult,
): VerifyDocument {
  const prompt = compareIds(recorded.inputIds, promptIds);
  const answer = compareIds(recorded.greedyIds, tokenIds);
  const { smallestMargin } = recorded;
  const same = prompt.same && answer.same;
  return { adapter, model, elementType, kvType, prompt, answer, smallestMargin, same };
}

function parseVerify(argv: readonly string[]) {
  const options = {
    verify: { type: "boolean" },
    model: { type: "string" },
    "kv-type": { type: "string" },
    json: { type: "string" },
  } as const;
  const { values } = parseCommandLine({ args: [...argv], options }, USAGE);
  const { model, "kv-type": kvType = "f32", json } = values;
  if (model === undefined) throw usageError("--verify needs --model.", USAGE);
  if (kvType !== "f16" && kvType !== "f32") throw usageError("--kv-type is f16 or f32.", USAGE);
  if (!fs.existsSync(model)) throw inputError(`There is no model directory ${model}.`);
  return { model: path.resolve(model), kvType: kvType as "f16" | "f32", json };
}

function readRecorded(model: string): RecordedAnswer {
  const file = path.join(model, "recorded.json");
  if (!fs.existsSync(file)) {
    throw inputError(`${model} has no recorded.json; reference/record_directory.py writes it.`);
  }
  const recorded = readJson(file) as Partial<RecordedAnswer>;
  const isIds = (ids: unknown) => Array.isArray(ids) && ids.every(Number.isInteger);
  const { question, picture, inputIds, greedyIds } = recorded;
  if (typeof question === "string" && picture && isIds(inputIds) && isIds(greedyIds)) {
    return recorded as RecordedAnswer;
  }
  throw inputError(`${file} is not a file of reference/record_directory.py.`);
}

/** As in the loader: only a model that has such a section reads images. */
function readsImages(model: string): boolean {
  return readJson(path.join(model, "config.json")).vision_config !== undefined;
}

/** The recorded picture's file, with the recorded bytes. */
function pictureOf(model: string, { picture }: RecordedAnswer): string {
  const name = path.basename(picture.file);
  const places = [path.join(model, name), path.resolve("public/samples", name)];
  const file = places.find((place) => fs.existsSync(place));
  if (!file) throw inputError(`The picture ${name} of recorded.json is not there.`);
  const digest = createHash("sha256").update(fs.readFileSync(file)).digest("hex");
  if (digest === picture.sha256) return file;
  throw inputError(`${file} is not the picture that recorded.json was made with.`);
}

function readJson(file: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(fs.readFileSync(file, "utf8"));
  } catch {
    throw inputError(`${file} is not JSON.`);
  }
}
