import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import type { ModelInfo } from "@/protocol/model";
import type { ConversationDocument } from "@/store/library/exportJson";
import { blobOf, readDocument, recordOf } from "@/store/library/importJson";
import { openEngine } from "../shared/engine";
import { inputError, parseCommandLine, writeDocument } from "../shared/options";
import { describe, type ReplayedAnswer, replayAll } from "./replayedAnswers";
import {
  modelOf,
  originOf,
  otherWeights,
  planReplay,
  type ReplayCall,
  typesOfOrigin,
} from "./replayPlan";

const USAGE = `npm run ask -- --replay FILE [--model DIR] [--json FILE|-]

Runs an exported conversation (JSON) again, with its images, questions, settings and sampling, and
reports for each answer whether text and token ids are the same. The exit status is 0 only if all of
them are. --model overrides the model in the file.
`;

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
  const options = {
    replay: { type: "string" },
    model: { type: "string" },
    json: { type: "string" },
  } as const;
  return parseCommandLine({ args: [...argv], options }, USAGE).values;
}

function readFile(file: string): ConversationDocument {
  if (!fs.existsSync(file)) throw inputError(`There is no file ${file}.`);
  try {
    return readDocument(fs.readFileSync(file, "utf8"), path.basename(file));
  } catch (error) {
    throw inputError(error instanceof Error ? error.message : String(error));
  }
}

function modelDir(given: string | undefined, calls: readonly ReplayCall[]): string {
  const folder =
    given ?? path.join("public/models", path.basename(modelOf(calls) ?? "keepsight-mini"));
  if (fs.existsSync(folder)) return path.resolve(folder);
  throw inputError(`There is no model directory ${folder}.`);
}

/** `npm run ask -- --replay FILE` */
export async function replay(argv: readonly string[]): Promise<number> {
  const { replay: file = "", model, json } = parseReplay(argv);
  const conversation = readFile(file);
  const record = recordOf(conversation, () => crypto.randomUUID(), 0);
  const calls = planReplay(record);
  if (calls.length === 0) throw inputError(`${file} has no answers to replay.`);
  const skipped = record.exchanges.flatMap(({ question, attempts }) =>
    attempts.filter(({ hidden }) => hidden).map(() => `${question}: asked with patches hidden.`),
  );
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "keepsight-replay-"));
  try {
    const images = await writeImages(conversation, folder);
    const page = await openEngine(modelDir(model, calls), images);
    try {
      const isQuiet = json === "-";
      const origin = originOf(calls[0]!.attempts.find(originOf) ?? calls[0]!.attempts[0]!);
      const info = await page.load(typesOfOrigin(origin));
      const other = otherWeights(calls, info.versions);
      if (other) process.stderr.write(`${other}\n`);
      const answers = await replayAll(page, calls, (answer) => {
        if (!isQuiet) process.stdout.write(describe(answer));
      });
      const same = answers.every(({ sameText, sameIds }) => sameText && sameIds);
      const { adapter, id, versions } = info;
      const document: ReplayDocument = {
        ...{ adapter, model: id, versions, answers, skipped, same },
        ...(other === undefined ? {} : { otherWeights: other }),
      };
      if (!isQuiet) for (const line of skipped) process.stdout.write(`not replayed: ${line}\n`);
      writeDocument(json, document);
      return same ? 0 : 1;
    } finally {
      await page.close();
    }
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}
