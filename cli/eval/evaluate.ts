import fs from "node:fs";
import path from "node:path";
import type { ModelInfo } from "@/protocol/model";
import { type Question, referenceKey } from "../shared/dataset";
import { weightsRevision } from "../shared/disk";
import { withHubModel } from "../shared/hubModel";
import { type EvalCommand, parseEval } from "./command";
import { askOnce, Engines, laneName, type OpenEngine } from "./engines";
import { askInProcesses, recordsFile, shardFiles } from "./processes";
import { EvalRecords, type EvalSettings } from "./records";
import { type Answered, formatTable, scoreLanes } from "./scores";

/** Asks every question of a data set once per policy, and scores the answers. `open` opens the engine. */
export async function evaluate(argv: readonly string[], open: OpenEngine): Promise<number> {
  const command = parseEval(await withHubModel(argv));
  const { questions, references, json, shard, processes } = command;
  const settings = settingsOf(command);
  const records = new EvalRecords(recordsFile(command), settings);
  if (processes > 1 && !command.onlyMerge) await askInProcesses(argv, processes);
  if (shard === undefined) records.absorb(shardFiles(json), settings);
  const versions = (await askWaiting(command, records, open))?.versions;
  if (shard) return 0;
  const answered = questions.flatMap(({ key, image, question }): Answered[] => {
    const reference = references.get(referenceKey(image, question));
    const record = records.get(key);
    return record ? [reference === undefined ? record : { ...record, reference }] : [];
  });
  if (answered.length < questions.length) {
    process.stdout.write(`${answered.length} of ${questions.length} questions were answered.\n`);
  }
  const scores = scoreLanes(answered);
  process.stdout.write(formatTable(scores));
  process.stdout.write(differences(answered));
  if (json !== undefined) {
    const adapters = [...new Set(answered.map(({ adapter }) => adapter))];
    const document = { settings, adapters, versions, questions: answered.length, lanes: scores };
    fs.writeFileSync(json, `${JSON.stringify(document, null, 2)}\n`);
  }
  return 0;
}

/** Asks the process's questions that are not answered yet; resolves with what the engine told of itself. */
async function askWaiting(
  command: EvalCommand,
  records: EvalRecords,
  open: OpenEngine,
): Promise<ModelInfo | undefined> {
  const { shard = { index: 0, of: 1 }, seconds, onlyMerge, processes } = command;
  if (onlyMerge || processes > 1) return undefined;
  const own = worldsInTurn(command.questions).filter((_, at) => at % shard.of === shard.index);
  const waiting = own.filter(({ key }) => !records.get(key));
  const engines = new Engines(command, open);
  // At this signal the browser's driver ends the browser but not the process, which would open
  // another.
  const stop = () => process.exit(143);
  process.once("SIGTERM", stop);
  try {
    const began = performance.now();
    for (const [index, question] of waiting.entries()) {
      if (performance.now() - began > seconds * 1000) break;
      const lanes = await askOnce(engines, question, command);
      const { key, world, answer } = question;
      const adapter = engines.info?.adapter.description ?? "";
      records.add({ key, world, expected: answer, lanes, adapter });
      report(index + 1, waiting.length, performance.now() - began);
    }
    return engines.info;
  } finally {
    process.off("SIGTERM", stop);
    await engines.close();
  }
}

/** The questions of all worlds in turn, so that a run that ends early has asked each about equally often. */
function worldsInTurn(questions: readonly Question[]): Question[] {
  const counts = new Map<string, number>();
  const turns = questions.map((question) => {
    const turn = counts.get(question.world) ?? 0;
    counts.set(question.world, turn + 1);
    return { question, turn };
  });
  return turns.toSorted((a, b) => a.turn - b.turn).map(({ question }) => question);
}

/** One line for each difference between the first lane's text and the reference. */
function differences(answered: readonly Answered[]): string {
  return answered
    .filter(({ lanes, reference }) => reference !== undefined && lanes[0]?.answer !== reference)
    .map(({ key, lanes, reference }) => `${key}: ${lanes[0]?.answer} (reference: ${reference})\n`)
    .join("");
}

function settingsOf({ model, lanes, sampling, types }: EvalCommand): EvalSettings {
  return {
    model: `${path.basename(model)} ${weightsRevision(model)}`,
    lanes: lanes.map(laneName),
    scope: lanes[0]?.scope ?? "visual",
    options: Object.assign({}, ...lanes.map(({ options }) => options)),
    kvType: types.kvType ?? "default",
    weightType: types.weightType ?? "default",
    maxNewTokens: sampling.maxNewTokens,
  };
}

function report(done: number, total: number, ms: number): void {
  const left = Math.round(((ms / done) * (total - done)) / 1e3);
  const eta = left > 90 ? `${Math.round(left / 60)} min` : `${left} s`;
  process.stderr.write(`\r${done} of ${total} questions, ${eta} left   `);
  if (done === total) process.stderr.write("\n");
}
