import fs from "node:fs";
import path from "node:path";
import { inputError } from "./options";

/** One line of `questions.jsonl`: an image and the turns of a conversation about it. */
export interface Sample {
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
  if (samples.length === 0) throw inputError(`${file} holds no question.`);
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
    // falls through to the one sentence
  }
  throw inputError(`Line ${number} of questions.jsonl is not an image that exists with its turns.`);
}
