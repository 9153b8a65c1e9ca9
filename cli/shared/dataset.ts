import fs from "node:fs";
import path from "node:path";
import { inputError } from "./options";

/** One line of `questions.jsonl`: an image and the turns of a conversation about it. */
interface Sample {
  /** Absolute path. */
  readonly image: string;
  readonly turns: readonly { readonly question: string; readonly answer: string }[];
}

/**
 * Reads `questions.jsonl` in `folder`: `{"image": "x.png", "turns": [{"question": …, "answer": …}]}`.
 * @throws with exitCode 1, naming the line that cannot be read.
 */
export function readDataset(folder: string, limit = Number.POSITIVE_INFINITY): Sample[] {
  const file = path.join(folder, "questions.jsonl");
  if (!fs.existsSync(file)) throw inputError(`There is no questions.jsonl in ${folder}.`);
  const lines = fs.readFileSync(file, "utf8").split("\n");
  const samples: Sample[] = [];
  for (const [index, line] of lines.entries()) {
    if (line.trim() === "" || samples.length >= limit) continue;
    samples.push(parseLine(folder, line, index + 1));
  }
  if (samples.length === 0) throw inputError(`${file} has no questions.`);
  return samples;
}

function parseLine(folder: string, line: string, number: number): Sample {
  try {
    const { image, turns } = JSON.parse(line) as Sample;
    const complete = turns.every(({ question, answer }) => {
      return typeof question === "string" && typeof answer === "string";
    });
    const resolved = path.resolve(folder, image);
    if (complete && turns.length > 0 && fs.existsSync(resolved)) return { image: resolved, turns };
  } catch {
    // the error below covers this case
  }
  throw inputError(`Line ${number} of questions.jsonl is not an image that exists with its turns.`);
}

/** A question of a data set, asked in its own conversation. */
export interface Question {
  /** Key in result files: image, turn, text. */
  readonly key: string;
  /** Absolute path. */
  readonly image: string;
  /**
   * World of its page: the file name up to the first "-" or digit, e.g. `card` for `card-03.png`.
   */
  readonly world: string;
  readonly question: string;
  readonly answer: string;
}

/**
 * Every turn of every sample. `limit`: at most this many, with equal numbers per world if possible.
 * @throws with exitCode 1 if questions about two images have the same key
 */
export function questionsOf(
  samples: readonly Sample[],
  limit = Number.POSITIVE_INFINITY,
): Question[] {
  const queues = new Map<string, Question[]>();
  const images = new Map<string, string>();
  for (const question of samples.flatMap(unfold)) {
    const { key, image } = question;
    if ((images.get(key) ?? image) !== image)
      throw inputError(`Two images of the data set have the name ${path.basename(image)}.`);
    images.set(key, image);
    const queue = queues.get(question.world) ?? [];
    queues.set(question.world, [...queue, question]);
  }
  const total = [...queues.values()].reduce((sum, queue) => sum + queue.length, 0);
  const quotas = new Map([...queues.keys()].map((world) => [world, 0]));
  for (let taken = 0; taken < Math.min(limit, total); ) {
    for (const [world, queue] of queues) {
      const quota = quotas.get(world) ?? 0;
      if (taken >= limit || quota >= queue.length) continue;
      quotas.set(world, quota + 1);
      taken += 1;
    }
  }
  return [...queues].flatMap(([world, queue]) => queue.slice(0, quotas.get(world)));
}

function unfold({ image, turns }: Sample): Question[] {
  const name = path.basename(image);
  const world = /^[^-\d.]+/.exec(name)?.[0] ?? "all";
  return turns.map(({ question, answer }, turn) => ({
    key: `${name}#${turn} ${question}`,
    image,
    world,
    question,
    answer,
  }));
}

/**
 * Reference answers, by image name and question: lines `{"image", "turns": [{"question"}],
 * "generated"}`, as training/evaluate.py writes them.
 * @throws with exitCode 1, naming the line that cannot be read.
 */
export function readReferences(file: string): ReadonlyMap<string, string> {
  if (!fs.existsSync(file)) throw inputError(`There is no file ${file}.`);
  const references = new Map<string, string>();
  for (const [index, line] of fs.readFileSync(file, "utf8").split("\n").entries()) {
    if (line.trim() === "") continue;
    const [key, generated] = parseReference(line) ?? [];
    if (key === undefined || generated === undefined) {
      throw inputError(`Line ${index + 1} of ${file} is not an image, its turn and "generated".`);
    }
    references.set(key, generated);
  }
  return references;
}

function parseReference(line: string): [string, string] | undefined {
  try {
    const { image, turns, generated } = JSON.parse(line);
    const question = turns.at(-1).question;
    const complete = [image, question, generated].every((text) => typeof text === "string");
    return complete ? [referenceKey(image, question), generated] : undefined;
  } catch {
    return undefined;
  }
}

/** Key of an answer in the result of `readReferences`. */
export function referenceKey(image: string, question: string): string {
  return `${path.basename(image)} ${question}`;
}
