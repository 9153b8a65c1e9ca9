import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { POLICIES } from "@/compression/registry";
import type { CacheSettings, Sampling } from "@/protocol/engine";
import { parseOption } from "./ask";
import { type Question, questionsOf, readDataset, readReferences, referenceKey } from "./dataset";
import { askOnce, Engines, laneName } from "./evalAsk";
import { EvalRecords, type EvalSettings } from "./evalRecords";
import { type Answered, formatTable, scoreLanes } from "./evalScores";
import { inputError, numberOption, usageError } from "./options";

const USAGE = `npm run eval -- --data DIR [--model DIR] [--limit N] [--json FILE]
  [--policy ${POLICIES.map(({ id }) => id).join("|")}]
  [--retention 1] [--scope visual|prompt] [--option name=value …]
  [--policies full:1,prefixkv:0.5,aircache:0.1] [--max-new-tokens 128] [--kv-type f16|f32]
  [--reference FILE]

Asks every question of a data set (DIR/questions.jsonl) in a conversation of its own and scores the
answers: exact match per world, ROUGE-L, KV bytes, ms per token. --policies asks each question once per
policy:retention, from forks of one prefill for every four. --reference (DIR/answers.jsonl where it is
there) holds another implementation's answers to agree with. --limit takes the worlds in equal parts.
With --json FILE, FILE.questions.jsonl gets a line per question, from which a command that was stopped
goes on.
`;

/** One command line. */
export interface EvalCommand {
  readonly model: string;
  readonly questions: readonly Question[];
  readonly references: ReadonlyMap<string, string>;
  readonly lanes: readonly CacheSettings[];
  readonly sampling: Sampling;
  readonly kvType?: "f16" | "f32";
  readonly json?: string;
}

/** @throws with exitCode 2 on usage, 1 on a file that is not there or cannot be read. */
export function parseEval(argv: readonly string[]): EvalCommand {
  const values = parseArguments(argv);
  const { data, scope, policy, "kv-type": kvType, json } = values;
  if (data === undefined) throw usageError("--data is missing.", USAGE);
  if (scope !== "visual" && scope !== "prompt")
    throw usageError(`--scope is visual or prompt, not ${scope}.`, USAGE);
  if (kvType !== undefined && kvType !== "f16" && kvType !== "f32")
    throw usageError("--kv-type is f16 or f32.", USAGE);
  if (!fs.existsSync(values.model))
    throw inputError(`There is no model directory ${values.model}.`);
  const limit =
    values.limit === undefined
      ? Number.POSITIVE_INFINITY
      : numberOption("limit", values.limit, 1, 1e6, { integer: true });
  const options = Object.fromEntries(values.option.map(parseOption));
  const names = values.policies?.split(",") ?? [`${policy}:${values.retention}`];
  const lanes = names.map((name) => parseLane(name, policy, scope, options));
  const reference = values.reference ?? defaultReference(data);
  return {
    model: path.resolve(values.model),
    questions: questionsOf(readDataset(data), limit),
    references: reference === undefined ? new Map() : readReferences(reference),
    lanes,
    sampling: {
      temperature: 0,
      topK: 0,
      topP: 1,
      seed: 0,
      maxNewTokens: numberOption("max-new-tokens", values["max-new-tokens"], 1, 1e6, {
        integer: true,
      }),
    },
    ...(kvType === undefined ? {} : { kvType }),
    ...(json === undefined ? {} : { json }),
  };
}

function parseArguments(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        data: { type: "string" },
        model: { type: "string", default: "public/models/keepsight-mini" },
        limit: { type: "string" },
        json: { type: "string" },
        policy: { type: "string", default: "full" },
        retention: { type: "string", default: "1" },
        scope: { type: "string", default: "visual" },
        option: { type: "string", multiple: true, default: [] },
        policies: { type: "string" },
        "max-new-tokens": { type: "string", default: "128" },
        "kv-type": { type: "string" },
        reference: { type: "string" },
      },
    }).values;
  } catch (error) {
    throw usageError(error instanceof Error ? error.message : String(error), USAGE);
  }
}

/** `prefixkv:0.5`; the command's --option go to the lanes of its --policy. */
function parseLane(
  text: string,
  ownPolicy: string,
  scope: CacheSettings["scope"],
  options: CacheSettings["options"],
): CacheSettings {
  const [policy = "", share = "1"] = text.split(":");
  if (!POLICIES.some(({ id }) => id === policy))
    throw usageError(`There is no policy ${policy}.`, USAGE);
  const retention = numberOption("policies", share, 0, 1, { above: true });
  return { policy, retention, scope, options: policy === ownPolicy ? options : {} };
}

function defaultReference(data: string): string | undefined {
  const file = path.join(data, "answers.jsonl");
  return fs.existsSync(file) ? file : undefined;
}

/** `npm run eval` */
export async function main(argv: readonly string[]): Promise<number> {
  const command = parseEval(argv);
  const { questions, references, json } = command;
  const settings = settingsOf(command);
  const records = new EvalRecords(json && `${json}.questions.jsonl`, settings);
  const waiting = questions.filter(({ key }) => !records.get(key));
  const engines = new Engines(command);
  // The browser's driver ends the browser at this signal and not the process, which would open another.
  const stop = () => process.exit(143);
  process.once("SIGTERM", stop);
  try {
    const began = performance.now();
    for (const [index, question] of waiting.entries()) {
      const lanes = await askOnce(engines, question, command);
      const { key, world, answer } = question;
      records.add({ key, world, expected: answer, lanes });
      report(index + 1, waiting.length, performance.now() - began);
    }
  } finally {
    process.off("SIGTERM", stop);
    await engines.close();
  }
  const answered = questions.map(({ key, image, question }): Answered => {
    const reference = references.get(referenceKey(image, question));
    const record = records.get(key) as Answered;
    return reference === undefined ? record : { ...record, reference };
  });
  const scores = scoreLanes(answered);
  process.stdout.write(formatTable(scores));
  process.stdout.write(differences(answered));
  if (json !== undefined) {
    const { adapter, versions } = engines.info ?? {};
    const document = { settings, adapter, versions, questions: answered.length, lanes: scores };
    fs.writeFileSync(json, `${JSON.stringify(document, null, 2)}\n`);
  }
  return 0;
}

/** Where the first lane's text is not the reference's, one line each. */
function differences(answered: readonly Answered[]): string {
  return answered
    .filter(({ lanes, reference }) => reference !== undefined && lanes[0]?.answer !== reference)
    .map(({ key, lanes, reference }) => `${key}: ${lanes[0]?.answer} (reference: ${reference})\n`)
    .join("");
}

function settingsOf({ model, lanes, sampling, kvType }: EvalCommand): EvalSettings {
  const hash = createHash("sha256");
  for (const name of fs.readdirSync(model).sort()) {
    if (name.endsWith(".safetensors")) hash.update(fs.readFileSync(path.join(model, name)));
  }
  return {
    model: `${path.basename(model)} ${hash.digest("hex").slice(0, 16)}`,
    lanes: lanes.map(laneName),
    scope: lanes[0]?.scope ?? "visual",
    options: Object.assign({}, ...lanes.map(({ options }) => options)),
    kvType: kvType ?? "default",
    maxNewTokens: sampling.maxNewTokens,
  };
}

function report(done: number, total: number, ms: number): void {
  const left = Math.round(((ms / done) * (total - done)) / 1e3);
  const eta = left > 90 ? `${Math.round(left / 60)} min` : `${left} s`;
  process.stderr.write(`\r${done} of ${total} questions, ${eta} left   `);
  if (done === total) process.stderr.write("\n");
}
