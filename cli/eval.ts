import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { referenceKey } from "./dataset";
import { askOnce, Engines, laneName } from "./evalAsk";
import { type EvalCommand, parseEval } from "./evalCommand";
import { EvalRecords, type EvalSettings } from "./evalRecords";
import { type Answered, formatTable, scoreLanes } from "./evalScores";
import { withHubModel } from "./hubModel";

/** `npm run eval` */
export async function main(argv: readonly string[]): Promise<number> {
  const command = parseEval(await withHubModel(argv));
  const { questions, references, json } = command;
  const settings = settingsOf(command);
  const records = new EvalRecords(json && `${json}.questions.jsonl`, settings);
  const waiting = questions.filter(({ key }) => !records.get(key));
  const engines = new Engines(command);
  // At this signal the browser's driver ends the browser but not the process, which would open
  // another.
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

/** One line for each difference between the first lane's text and the reference. */
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
