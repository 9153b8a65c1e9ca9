import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import type {
  AskRequest,
  CompareRequest,
  ModelInfo,
  Sampling,
  TurnResult,
} from "@/protocol/engine";
import type { ConversationDocument } from "@/store/library/exportJson";
import { blobOf, readDocument, recordOf } from "@/store/library/importJson";
import type { AttemptRecord } from "@/store/library/records";
import { type OpenedEngine, openEngine } from "./engine";
import { inputError, usageError } from "./options";
import {
  modelOf,
  originOf,
  otherWeights,
  planReplay,
  type Step,
  typesOfOrigin,
} from "./replayPlan";

const USAGE = `npm run ask -- --replay FILE [--model DIR] [--json FILE|-]

Runs an exported conversation (JSON) again, with its images, questions, settings and sampling, and
reports for each answer whether text and token ids are the same. The exit status is 0 only if all of
them are. --model overrides the model in the file.
`;

export interface ReplayedAnswer {
  readonly question: string;
  readonly policy: string;
  readonly retention: number;
  readonly isLane: boolean;
  readonly sameText: boolean;
  readonly sameIds: boolean;
  /**
   * Whether it was appended to the previous answer's cache, in the recording and in the replay;
   * absent for lanes.
   */
  readonly appended?: { readonly recorded: boolean; readonly replayed: boolean };
  readonly recorded: Pick<TurnResult, "answer" | "tokenIds">;
  readonly replayed?: Pick<TurnResult, "answer" | "tokenIds">;
  /** Why the replay has no answer. */
  readonly failure?: string;
}

/** What `--json` writes. */
export interface ReplayDocument {
  readonly adapter: ModelInfo["adapter"];
  readonly model: string;
  readonly versions: ModelInfo["versions"];
  readonly answers: readonly ReplayedAnswer[];
  /** The weights are not those that answered; then equal answers cannot be expected. */
  readonly otherWeights?: string;
  /** Attempts that cannot be run again, one sentence each. */
  readonly skipped: readonly string[];
  readonly same: boolean;
}

/** Runs the steps one after the other. */
export async function replayAll(
  page: Pick<OpenedEngine, "ask" | "compare">,
  steps: readonly Step[],
  onAnswer: (answer: ReplayedAnswer) => void,
): Promise<readonly ReplayedAnswer[]> {
  const answers: ReplayedAnswer[] = [];
  for (const step of steps) {
    for (const answer of await replayStep(page, step)) {
      answers.push(answer);
      onAnswer(answer);
    }
  }
  return answers;
}

async function replayStep(
  page: Pick<OpenedEngine, "ask" | "compare">,
  step: Step,
): Promise<readonly ReplayedAnswer[]> {
  const outcomes = await (step.attempts.length > 1 ? compare(page, step) : ask(page, step));
  return step.attempts.flatMap((attempt, index) => {
    if (attempt.run.phase !== "done") return [];
    const outcome = outcomes[index] ?? { failure: "It was not answered." };
    return [judge(step, attempt, attempt.run.result, outcome)];
  });
}

type Outcome = { readonly result: TurnResult } | { readonly failure: string };

async function ask(page: Pick<OpenedEngine, "ask">, step: Step): Promise<readonly Outcome[]> {
  const [{ settings, run }] = step.attempts as readonly [AttemptRecord];
  if (run.phase !== "done") return [];
  const recorded = run.result;
  const request: Omit<AskRequest, "images"> = {
    turns: step.turns,
    ...(step.frames && { frames: step.frames }),
    settings,
    sampling: sampled(step.sampling, recorded),
    ...(recorded.appended ? {} : { fresh: true }),
  };
  return [await page.ask(request).then((result) => ({ result }), failed)];
}

async function compare(
  page: Pick<OpenedEngine, "compare">,
  step: Step,
): Promise<readonly Outcome[]> {
  const lanes = step.attempts.map(({ settings }) => settings);
  const request: Omit<CompareRequest, "images"> = {
    turns: step.turns,
    ...(step.frames && { frames: step.frames }),
    sampling: step.sampling,
    lanes,
  };
  try {
    return (await page.compare(request)).map(({ result, failure }) =>
      result ? { result } : { failure: failure.message },
    );
  } catch (error) {
    return lanes.map(() => failed(error));
  }
}

/** Without WebGPU nothing can be replayed; any other failure concerns one answer. */
function failed(error: unknown): Outcome {
  if (!(error instanceof Error) || (error as { exitCode?: number }).exitCode === 3) throw error;
  return { failure: error.message };
}

/** A stopped answer is replayed up to its recorded length. */
function sampled(sampling: Sampling, { finish, tokenIds }: TurnResult): Sampling {
  if (finish !== "cancelled") return sampling;
  return { ...sampling, maxNewTokens: Math.min(sampling.maxNewTokens, tokenIds.length) };
}

function judge(
  { question, attempts }: Step,
  { settings }: AttemptRecord,
  recorded: TurnResult,
  outcome: Outcome,
): ReplayedAnswer {
  const { policy, retention } = settings;
  const asked = { question, policy, retention, isLane: attempts.length > 1 };
  const before = { recorded: { answer: recorded.answer, tokenIds: recorded.tokenIds } };
  if ("failure" in outcome) {
    return { ...asked, ...before, sameText: false, sameIds: false, failure: outcome.failure };
  }
  const { answer, tokenIds, appended } = outcome.result;
  // A stopped lane is replayed to its end; its recorded text must be a prefix.
  const isCut = recorded.finish === "cancelled";
  const ids = isCut ? tokenIds.slice(0, recorded.tokenIds.length) : tokenIds;
  return {
    ...asked,
    ...before,
    sameText: isCut ? answer.startsWith(recorded.answer) : answer === recorded.answer,
    sameIds:
      ids.length === recorded.tokenIds.length && ids.every((id, i) => id === recorded.tokenIds[i]),
    ...(asked.isLane ? {} : { appended: { recorded: recorded.appended, replayed: appended } }),
    replayed: { answer, tokenIds },
  };
}

/** The report for a terminal. */
export function describe(answer: ReplayedAnswer): string {
  const { question, policy, retention, sameText, sameIds, failure, recorded, replayed, appended } =
    answer;
  const head = `${question}  (${policy} ${retention}${answer.isLane ? ", lane" : ""})\n`;
  if (failure !== undefined) return `${head}  failed: ${failure}\n`;
  if (sameText && sameIds) return `${head}  same text, same ids\n`;
  const cache =
    appended && appended.recorded !== appended.replayed
      ? `  appended to the cache in the recording, not in the replay\n`
      : "";
  const texts = sameText
    ? "  same text, different ids\n"
    : `  then: ${recorded.answer}\n  now:  ${replayed?.answer}\n`;
  return `${head}${texts}${cache}`;
}

/** Writes the images to files, which the command serves to its browser. */
function writeImages({ pictures }: ConversationDocument, folder: string) {
  return Promise.all(
    pictures.map(async ({ id, data }, index) => {
      const blob = blobOf(data);
      const type = blob.type.replace(/^image\//, "").replace(/\W.*$/, "");
      const file = path.join(folder, `${index}.${type}`);
      fs.writeFileSync(file, new Uint8Array(await blob.arrayBuffer()));
      return [id, file] as const;
    }),
  ).then((entries) => Object.fromEntries(entries));
}

function parseReplay(argv: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        replay: { type: "string" },
        model: { type: "string" },
        json: { type: "string" },
      },
    });
    return values;
  } catch (error) {
    throw usageError(error instanceof Error ? error.message : String(error), USAGE);
  }
}

function readFile(file: string): ConversationDocument {
  if (!fs.existsSync(file)) throw inputError(`There is no file ${file}.`);
  try {
    return readDocument(fs.readFileSync(file, "utf8"), path.basename(file));
  } catch (error) {
    throw inputError(error instanceof Error ? error.message : String(error));
  }
}

function modelDir(given: string | undefined, steps: readonly Step[]): string {
  const folder =
    given ?? path.join("public/models", path.basename(modelOf(steps) ?? "keepsight-mini"));
  if (fs.existsSync(folder)) return path.resolve(folder);
  throw inputError(`There is no model directory ${folder}.`);
}

/** `npm run ask -- --replay FILE` */
export async function replay(argv: readonly string[]): Promise<number> {
  const { replay: file = "", model, json } = parseReplay(argv);
  const conversation = readFile(file);
  const record = recordOf(conversation, () => crypto.randomUUID(), 0);
  const steps = planReplay(record);
  if (steps.length === 0) throw inputError(`${file} has no answers to replay.`);
  const skipped = record.exchanges.flatMap(({ question, attempts }) =>
    attempts.filter(({ hidden }) => hidden).map(() => `${question}: asked with patches hidden.`),
  );
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "keepsight-replay-"));
  try {
    const images = await writeImages(conversation, folder);
    const page = await openEngine(modelDir(model, steps), images);
    try {
      const isQuiet = json === "-";
      const origin = originOf(steps[0]!.attempts.find(originOf) ?? steps[0]!.attempts[0]!);
      const info = await page.load(typesOfOrigin(origin));
      const other = otherWeights(steps, info.versions);
      if (other) process.stderr.write(`${other}\n`);
      const answers = await replayAll(page, steps, (answer) => {
        if (!isQuiet) process.stdout.write(describe(answer));
      });
      const same = answers.every(({ sameText, sameIds }) => sameText && sameIds);
      const { adapter, id, versions } = info;
      const document: ReplayDocument = {
        ...{ adapter, model: id, versions, answers, skipped, same },
        ...(other === undefined ? {} : { otherWeights: other }),
      };
      if (!isQuiet) for (const line of skipped) process.stdout.write(`not replayed: ${line}\n`);
      const text = `${JSON.stringify(document, null, 2)}\n`;
      if (isQuiet) process.stdout.write(text);
      else if (json) fs.writeFileSync(json, text);
      return same ? 0 : 1;
    } finally {
      await page.close();
    }
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}
