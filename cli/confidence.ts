import fs from "node:fs";
import path from "node:path";
import type { ModelCard } from "@/protocol/model";
import { answerConfidence, type ConfidenceMeasure } from "@/text/confidence";
import { inputError, parseCommandLine, usageError } from "./shared/options";

const USAGE = `npm run confidence -- SOURCE … [--write MODEL_DIR]

Chooses the probability below which an answer is marked as unsure. SOURCE is a folder with an answers.jsonl
of training/evaluate.py or training/foreign.py, or a .questions.jsonl file of npm run eval --json, whose first
lane is read. For the mean and for the least probability of an answer's tokens it prints how many wrong and
right answers a threshold marks. --write stores the choice in MODEL_DIR/config.json.
`;

/** Of the answers that a threshold marks: most wrong ones, few right ones. */
const WANTED = { wrong: 0.8, right: 0.1 } as const;
const MEASURES: readonly ConfidenceMeasure[] = ["mean", "min"];

/** An answer whose truth is known. */
interface JudgedAnswer {
  readonly isRight: boolean;
  readonly logProbabilities: readonly number[];
}

/** A threshold, and the shares in [0, 1] of wrong and of right answers below it. */
interface Operating {
  readonly measure: ConfidenceMeasure;
  readonly threshold: number;
  readonly wrongMarked: number;
  readonly rightMarked: number;
}

/** `npm run confidence` */
export async function main(argv: readonly string[]): Promise<number> {
  const { values, positionals } = parse(argv);
  const answers = positionals.flatMap(readAnswers);
  const wrong = answers.filter(({ isRight }) => !isRight).length;
  if (wrong === 0 || wrong === answers.length) {
    throw inputError("The answers must be right in some cases and wrong in others.");
  }
  const print = (line: string) => process.stdout.write(`${line}\n`);
  print(`${answers.length} answers, ${wrong} of them wrong`);
  for (const measure of MEASURES) {
    const points = rocOf(answers, measure);
    print(`${measure}: area under the curve ${areaUnder(points).toFixed(3)}`);
    for (const limit of [0.02, 0.05, 0.1, 0.15, 0.2, 0.3]) print(`  ${told(best(points, limit))}`);
  }
  const choice = chooseThreshold(answers);
  const isReached = choice.wrongMarked >= WANTED.wrong && choice.rightMarked <= WANTED.right;
  print(
    `chosen: ${choice.measure}, ${told(choice)}${isReached ? "" : "; 80 % and 10 % not reached"}`,
  );
  if (values.write) write(values.write, choice, answers.length);
  return 0;
}

/**
 * The point with the most wrong answers marked of those that mark at most a tenth of the right ones,
 * over both measures.
 */
export function chooseThreshold(answers: readonly JudgedAnswer[]): Operating {
  return MEASURES.map((measure) => best(rocOf(answers, measure), WANTED.right)).reduce((a, b) =>
    b.wrongMarked - b.rightMarked > a.wrongMarked - a.rightMarked ? b : a,
  );
}

/** Every threshold that separates two answers, from the lowest on. */
function rocOf(answers: readonly JudgedAnswer[], measure: ConfidenceMeasure): readonly Operating[] {
  const scored = answers
    .map(({ isRight, logProbabilities }) => {
      return { isRight, value: answerConfidence(logProbabilities, measure) };
    })
    .sort((a, b) => a.value - b.value);
  const count = { wrong: 0, right: 0 };
  const total = scored.filter(({ isRight }) => isRight).length;
  const points: Operating[] = [];
  for (const [index, { isRight, value }] of scored.entries()) {
    const before = scored[index - 1]?.value ?? 0;
    if (index === 0 || value > before) points.push(point(measure, (before + value) / 2));
    count[isRight ? "right" : "wrong"] += 1;
  }
  return [...points, point(measure, 1)];

  function point(of: ConfidenceMeasure, threshold: number): Operating {
    const wrongMarked = count.wrong / (scored.length - total);
    return { measure: of, threshold, wrongMarked, rightMarked: count.right / total };
  }
}

function best(points: readonly Operating[], most: number): Operating {
  return points.filter(({ rightMarked }) => rightMarked <= most).at(-1) as Operating;
}

/** Area under the curve of wrong over right answers marked: 0.5 is chance, 1 is perfect. */
function areaUnder(points: readonly Operating[]): number {
  return points.slice(1).reduce((sum, { wrongMarked, rightMarked }, index) => {
    const before = points[index] as Operating;
    return sum + ((rightMarked - before.rightMarked) * (wrongMarked + before.wrongMarked)) / 2;
  }, 0);
}

function told({ threshold, wrongMarked, rightMarked }: Operating): string {
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  return `below ${percent(threshold)} marks ${percent(wrongMarked)} of wrong and ${percent(rightMarked)} of right answers`;
}

/** @throws with exitCode 1, naming a line that cannot be read */
function readAnswers(source: string): readonly JudgedAnswer[] {
  const isFolder = fs.existsSync(source) && fs.statSync(source).isDirectory();
  const file = isFolder ? path.join(source, "answers.jsonl") : source;
  if (!fs.existsSync(file)) throw inputError(`There is no file ${file}.`);
  const lines = fs.readFileSync(file, "utf8").split("\n");
  return lines.flatMap((line, index) => {
    if (line.trim() === "" || (!isFolder && index === 0)) return [];
    const judged = judgedOf(line);
    if (!judged) throw inputError(`Line ${index + 1} of ${file} has no answer with probabilities.`);
    return [judged];
  });
}

function judgedOf(line: string): JudgedAnswer | undefined {
  try {
    const { turns, generated, expected, lanes, logProbabilities } = JSON.parse(line);
    const given = lanes?.[0] ?? { answer: generated, logProbabilities };
    const wanted: unknown = expected ?? turns.at(-1).answer;
    const values: unknown = given.logProbabilities;
    if (typeof wanted !== "string" || typeof given.answer !== "string") return undefined;
    if (!Array.isArray(values) || values.length === 0) return undefined;
    return { isRight: given.answer.trim() === wanted.trim(), logProbabilities: values };
  } catch {
    return undefined;
  }
}

function write(folder: string, choice: Operating, answers: number): void {
  const file = path.join(folder, "config.json");
  if (!fs.existsSync(file)) throw inputError(`There is no file ${file}.`);
  const text = fs.readFileSync(file, "utf8");
  const { measure, threshold, wrongMarked, rightMarked } = choice;
  const rounded = (value: number) => Number(value.toFixed(4));
  const confidence: ModelCard["confidence"] & Record<string, unknown> = {
    measure,
    threshold: rounded(threshold),
    wrongMarked: rounded(wrongMarked),
    rightMarked: rounded(rightMarked),
    answers,
  };
  const { keepsight } = JSON.parse(text);
  fs.writeFileSync(file, withCard(text, { ...keepsight, confidence }));
}

/** Replaces one field of a formatted JSON object. The others stay as they are written: `0.0` is no integer. */
export function withCard(text: string, card: object): string {
  const field = `  "keepsight": ${JSON.stringify(card, null, 2).replaceAll("\n", "\n  ")}`;
  const present = /^ {2}"keepsight": \{\n(.*\n)*? {2}\}/m;
  if (present.test(text)) return text.replace(present, () => field);
  return text.replace("{\n", () => `{\n${field},\n`);
}

function parse(argv: readonly string[]) {
  const options = { write: { type: "string" } } as const;
  const given = parseCommandLine({ args: [...argv], allowPositionals: true, options }, USAGE);
  if (given.positionals.length === 0) throw usageError("A SOURCE is missing.", USAGE);
  return given;
}
