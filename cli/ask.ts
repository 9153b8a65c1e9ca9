import fs from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { POLICIES } from "@/compression/registry";
import type {
  AskRequest,
  CacheSettings,
  LaneOutcome,
  ModelInfo,
  SampledFrame,
  Sampling,
  Turn,
  TurnResult,
} from "@/protocol/engine";
import { agreement } from "@/text/agreement";
import { type OpenedEngine, openEngine } from "./engine";
import { readFrames } from "./frames";
import { withHubModel } from "./hubModel";
import { checkPolicy, parseLane, scopeOption } from "./lanes";
import { loadOnly } from "./loadOnly";
import {
  inputError,
  numberOption,
  parseOption,
  type TypeOptions,
  typeOptions,
  usageError,
} from "./options";
import { replay } from "./replay";
import { verify } from "./verify";

const USAGE = `npm run ask -- --image FILE|--frames DIR:SECONDS --prompt TEXT [--prompt TEXT …] [--model DIR|OWNER/NAME]
  [--policy ${POLICIES.map(({ id }) => id).join("|")}]
  [--retention 0.1] [--scope visual|prompt] [--option name=value …] [--cap MB] [--earlier 0.05]
  [--temperature 0] [--top-k 0] [--top-p 1] [--seed 0] [--max-new-tokens 128]
  [--weight-type f16|q8|q4] [--kv-type f16|f32] [--chunk-rows N] [--memory MB] [--json FILE|-]
  [--compare aircache:0.1,prefixkv:0.1,streaming:0.1]

An --image belongs to the next --prompt and may repeat; --frames takes the images in DIR, in the order of their
names, as evenly spaced frames of a video of that length. Several prompts are turns of one
conversation. --json - writes one JSON document to stdout and nothing else. --compare answers the last
prompt once per lane, policy:retention, from forks of one prefill. --memory limits all GPU buffers.
--model OWNER/NAME[@REVISION] is downloaded from the Hugging Face Hub once; HF_ENDPOINT names a mirror,
HF_TOKEN gives access to private and gated models.

npm run ask -- --model DIR --verify [--kv-type f16|f32] [--json FILE|-] asks what PyTorch answered in
DIR/recorded.json (reference/record_directory.py) and succeeds only if prompt and answer are the same.

npm run ask -- --model DIR --load prints what the model is, and what loading it took.

npm run ask -- --replay FILE [--model DIR] [--json FILE|-] runs an exported conversation (JSON) again
and succeeds only if every answer is the same.
`;

/** A parsed command line. */
export interface AskCommand {
  readonly model: string;
  /** Image files by key; turns refer to the keys. */
  readonly images: Readonly<Record<string, string>>;
  readonly frames?: NonNullable<AskRequest["frames"]>;
  readonly turns: readonly Turn[];
  readonly settings: CacheSettings;
  /** Lanes of the last turn; empty: it is asked like the others. */
  readonly lanes: readonly CacheSettings[];
  readonly sampling: Sampling;
  readonly types: TypeOptions;
  readonly chunkRows?: number;
  /** Ceiling of all GPU buffers, in megabytes. */
  readonly memoryMb?: number;
  readonly json?: string;
}

/** @throws with exitCode 2 on usage, 1 on a file that is not there. */
export function parseAsk(argv: readonly string[]): AskCommand {
  const { values, tokens } = parseArguments(argv);
  const images: Record<string, string> = {};
  const frames: Record<string, SampledFrame> = {};
  const turns: Turn[] = [];
  let waiting: string[] = [];
  for (const token of tokens) {
    if (token.kind !== "option" || token.value === undefined) continue;
    if (token.name === "image") {
      if (!fs.existsSync(token.value)) throw inputError(`There is no file ${token.value}.`);
      const key = `${Object.keys(images).length}-${path.basename(token.value)}`;
      images[key] = path.resolve(token.value);
      waiting.push(key);
    } else if (token.name === "frames") {
      for (const { file, frame } of readFrames(token.value)) {
        const key = `${Object.keys(images).length}-${path.basename(file)}`;
        images[key] = file;
        frames[key] = frame;
        waiting.push(key);
      }
    } else if (token.name === "prompt") {
      turns.push({ images: waiting, question: token.value });
      waiting = [];
    }
  }
  if (turns.length === 0) throw usageError("--prompt is missing.", USAGE);
  if (waiting.length > 0) throw usageError("An --image follows the last --prompt.", USAGE);
  const { policy } = values;
  checkPolicy(policy, USAGE);
  const scope = scopeOption(values.scope, USAGE);
  const types = typeOptions(values, USAGE);
  if (!fs.existsSync(values.model))
    throw inputError(`There is no model directory ${values.model}.`);
  const settings: CacheSettings = {
    policy,
    scope,
    retention: numberOption("retention", values.retention, 0, 1, { above: true }),
    options: Object.fromEntries(values.option.map(parseOption)),
    ...(values.cap === undefined
      ? {}
      : { capMb: numberOption("cap", values.cap, 0, 1e6, { above: true }) }),
    ...(values.earlier === undefined
      ? {}
      : { earlierRetention: numberOption("earlier", values.earlier, 0, 1, { above: true }) }),
  };
  return {
    model: path.resolve(values.model),
    images,
    ...(Object.keys(frames).length > 0 && { frames }),
    turns,
    settings,
    lanes: (values.compare?.split(",") ?? []).map((lane) =>
      parseLane(lane, "compare", settings, USAGE),
    ),
    sampling: {
      temperature: numberOption("temperature", values.temperature, 0, 100),
      topK: numberOption("top-k", values["top-k"], 0, 1e6, { integer: true }),
      topP: numberOption("top-p", values["top-p"], 0, 1, { above: true }),
      seed: numberOption("seed", values.seed, 0, 2 ** 32 - 1, { integer: true }),
      maxNewTokens: numberOption("max-new-tokens", values["max-new-tokens"], 1, 1e6, {
        integer: true,
      }),
    },
    types,
    ...(values["chunk-rows"] === undefined
      ? {}
      : {
          chunkRows: numberOption("chunk-rows", values["chunk-rows"], 1, 4096, { integer: true }),
        }),
    ...(values.memory === undefined
      ? {}
      : { memoryMb: numberOption("memory", values.memory, 0, 1e6, { above: true }) }),
    ...(values.json === undefined ? {} : { json: values.json }),
  };
}

function parseArguments(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      tokens: true,
      options: {
        image: { type: "string", multiple: true },
        frames: { type: "string", multiple: true },
        prompt: { type: "string", multiple: true },
        model: { type: "string", default: "public/models/keepsight-mini" },
        policy: { type: "string", default: "full" },
        retention: { type: "string", default: "1" },
        scope: { type: "string", default: "visual" },
        option: { type: "string", multiple: true, default: [] },
        cap: { type: "string" },
        earlier: { type: "string" },
        compare: { type: "string" },
        temperature: { type: "string", default: "0" },
        "top-k": { type: "string", default: "0" },
        "top-p": { type: "string", default: "1" },
        seed: { type: "string", default: "0" },
        "max-new-tokens": { type: "string", default: "128" },
        "weight-type": { type: "string" },
        "kv-type": { type: "string" },
        "chunk-rows": { type: "string" },
        memory: { type: "string" },
        json: { type: "string" },
      },
    });
  } catch (error) {
    throw usageError(error instanceof Error ? error.message : String(error), USAGE);
  }
}

/** What `--json` writes. */
export interface AskDocument {
  readonly adapter: ModelInfo["adapter"];
  readonly elementType: string;
  readonly kvType: string;
  readonly versions: ModelInfo["versions"];
  readonly turns: readonly (TurnResult &
    Pick<AskDocument, "adapter" | "elementType" | "kvType" | "versions">)[];
  /** With `--compare`: the last prompt's lanes. */
  readonly lanes?: readonly Lane[];
}

/** A lane's answer or its failure. */
export type Lane = CacheSettings &
  LaneOutcome & {
    /** Share of words in common with the lane of policy `full`, if it has an answer. */
    readonly agreement?: number;
  };

/** Asks the turns in sequence. `onToken` receives the text of each token. */
async function askAll(
  page: OpenedEngine,
  command: AskCommand,
  onToken: (text: string) => void,
): Promise<AskDocument> {
  const model = await page.load({
    ...command.types,
    ...(command.chunkRows === undefined ? {} : { chunkRows: command.chunkRows }),
    ...(command.memoryMb === undefined ? {} : { memoryMb: command.memoryMb }),
  });
  const { adapter, elementType, kvType, versions } = model;
  const environment = { adapter, elementType, kvType, versions };
  const { settings, sampling, lanes } = command;
  const frames = command.frames ? { frames: command.frames } : {};
  const asked: Turn[] = [];
  const results: TurnResult[] = [];
  const single = lanes.length > 0 ? command.turns.slice(0, -1) : command.turns;
  for (const turn of single) {
    const result = await page.ask(
      { turns: [...asked, turn], ...frames, settings, sampling },
      onToken,
    );
    onToken("\n");
    results.push(result);
    asked.push({ ...turn, answerIds: result.tokenIds });
  }
  const turns = results.map((turn) => ({ ...turn, ...environment }));
  if (lanes.length === 0) return { ...environment, turns };
  const outcomes = await page.compare({
    turns: command.turns.map((t, i) => asked[i] ?? t),
    ...frames,
    sampling,
    lanes,
  });
  return { ...environment, turns, lanes: withAgreement(lanes, outcomes) };
}

function withAgreement(
  lanes: readonly CacheSettings[],
  outcomes: readonly LaneOutcome[],
): readonly Lane[] {
  const reference = outcomes[lanes.findIndex(({ policy }) => policy === "full")]?.result?.answer;
  return outcomes.map((outcome, index) => {
    const answer = outcome.result?.answer;
    const known = answer !== undefined && reference !== undefined;
    const share = known ? { agreement: agreement(answer, reference) } : {};
    return { ...(lanes[index] as CacheSettings), ...outcome, ...share };
  });
}

function describeLane({ policy, retention, result, failure, agreement: share }: Lane): string {
  const name = `${policy} ${retention}`;
  if (!result) return `${name}: ${failure.message}\n`;
  const { kvBytes, ms, answer } = result;
  const agrees = share === undefined ? "" : `, agreement ${(share * 100).toFixed(0)} %`;
  const mb = (kvBytes.end / 1e6).toFixed(2);
  const facts = `${mb} MB, ${ms.decodePerToken.median.toFixed(0)} ms per token${agrees}`;
  return `${name} (${facts})\n${answer}\n\n`;
}

/** `npm run ask` */
export async function main(given: readonly string[]): Promise<number> {
  const argv = await withHubModel(given);
  if (argv.some((word) => word === "--replay" || word.startsWith("--replay="))) return replay(argv);
  if (argv.includes("--load")) return loadOnly(argv);
  if (argv.includes("--verify")) return verify(argv);
  const command = parseAsk(argv);
  const page = await openEngine(command.model, command.images);
  try {
    const quiet = command.json === "-";
    const document = await askAll(page, command, (text) => {
      if (!quiet) process.stdout.write(text);
    });
    if (!quiet) process.stdout.write((document.lanes ?? []).map(describeLane).join(""));
    const json = `${JSON.stringify(document, null, 2)}\n`;
    if (command.json === "-") process.stdout.write(json);
    else if (command.json) fs.writeFileSync(command.json, json);
    return 0;
  } finally {
    await page.close();
  }
}
