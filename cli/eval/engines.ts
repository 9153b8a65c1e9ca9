import type { ModelInfo } from "@/protocol/model";
import { type CacheSettings, MOST_LANES } from "@/protocol/request";
import type { LaneOutcome } from "@/protocol/result";
import type { Question } from "../shared/dataset";
import type { OpenedEngine } from "../shared/engine";
import type { EvalCommand } from "./command";
import type { LaneAnswer } from "./scores";

/** Opens an engine for a model directory and images by key. */
export type OpenEngine = (
  modelDir: string,
  images: Readonly<Record<string, string>>,
) => Promise<OpenedEngine>;

/** `policy:retention` */
export function laneName({ policy, retention }: CacheSettings): string {
  return `${policy}:${retention}`;
}

/** An engine that is opened on demand, and again after a crash. */
export class Engines {
  readonly #command: EvalCommand;
  readonly #openEngine: OpenEngine;
  readonly #images: Readonly<Record<string, string>>;
  #page: OpenedEngine | undefined;
  /** The engine's model information after the last opening. */
  info: ModelInfo | undefined;

  constructor(command: EvalCommand, openEngine: OpenEngine) {
    this.#command = command;
    this.#openEngine = openEngine;
    this.#images = Object.fromEntries(command.questions.map(({ image }) => [image, image]));
  }

  async open(): Promise<OpenedEngine> {
    if (this.#page) return this.#page;
    const { model, types } = this.#command;
    this.#page = await this.#openEngine(model, this.#images);
    this.info = await this.#page.load(types);
    return this.#page;
  }

  async close(): Promise<void> {
    const page = this.#page;
    this.#page = undefined;
    await page?.close().catch(() => undefined);
  }
}

/** Answers of one question in every lane; after a crash the engine is opened again, once. */
export async function askOnce(engines: Engines, question: Question, command: EvalCommand) {
  try {
    return await askLanes(await engines.open(), question, command);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(`\n${question.key}: ${message.split("\n")[0]}; once more\n`);
    await engines.close();
    return askLanes(await engines.open(), question, command);
  }
}

/** In its own conversation: image features may be reused, rows are not. Up to `MOST_LANES` caches are held at the same time. */
async function askLanes(
  page: OpenedEngine,
  { image, question }: Question,
  { lanes, sampling }: EvalCommand,
): Promise<LaneAnswer[]> {
  const turns = [{ images: [image], question }];
  const answers: LaneAnswer[] = [];
  for (let at = 0; at < lanes.length; at += MOST_LANES) {
    const some = lanes.slice(at, at + MOST_LANES);
    const [only, ...others] = some;
    const outcomes: readonly LaneOutcome[] =
      only && others.length === 0
        ? [{ result: await page.ask({ turns, settings: only, sampling, fresh: true }) }]
        : await page.compare({ turns, sampling, lanes: some });
    for (const [index, outcome] of outcomes.entries()) {
      answers.push(laneAnswer(some[index] as CacheSettings, outcome));
    }
  }
  return answers;
}

function laneAnswer(settings: CacheSettings, { result, failure }: LaneOutcome): LaneAnswer {
  const lane = laneName(settings);
  if (!result) return { lane, failure: failure.message };
  const { answer, kvBytes, ms, tokenIds, logProbabilities } = result;
  return {
    lane,
    answer: answer.trim(),
    kvBytes: kvBytes.after,
    fullBytes: kvBytes.full,
    ...(logProbabilities
      ? { logProbabilities: logProbabilities.map((value) => Number(value.toFixed(4))) }
      : {}),
    // An answer of one token has no decoding step.
    ...(tokenIds.length > 1 ? { msPerToken: ms.decodePerToken.median } : {}),
  };
}
