import fs from "node:fs";
import path from "node:path";
import { POLICIES } from "@/compression/registry";
import type { AskRequest, CacheSettings, SampledFrame, Sampling, Turn } from "@/protocol/request";
import { checkOptionsUsed, checkPolicy, parseLane, scopeOption } from "../shared/lanes";
import {
  inputError,
  numberOption,
  parseCommandLine,
  parseOption,
  type TypeOptions,
  typeOptions,
  usageError,
} from "../shared/options";
import { readFrames } from "./frames";

const USAGE = `npm run ask -- --image FILE|--frames DIR:SECONDS --prompt TEXT [--prompt TEXT …] [--model DIR|OWNER/NAME|URL]
  [--policy ${POLICIES.map(({ id }) => id).join("|")}]
  [--retention 0.1] [--scope visual|prompt] [--option name=value …] [--cap MB] [--earlier 0.05]
  [--temperature 0] [--top-k 0] [--top-p 1] [--seed 0] [--max-new-tokens 128]
  [--weight-type f32|f16|q8|q4] [--kv-type f32|f16|q8|q4] [--chunk-rows N] [--memory MB] [--json FILE|-]
  [--compare aircache:0.1,prefixkv:0.1,streaming:0.1 [--together]]

An --image belongs to the next --prompt and may repeat; --frames takes the images in DIR, in the order of their
names, as evenly spaced frames of a video of that length. Several prompts are turns of one
conversation. --json - writes one JSON document to stdout and nothing else. --compare answers the last
prompt once per lane, policy:retention, from forks of one prefill; with --together, lanes decode over one read
of the weights where they can. --memory limits all GPU buffers.
--model OWNER/NAME[@REVISION] is downloaded from the Hugging Face Hub once, --model URL from any host; HF_ENDPOINT
names a mirror of the Hub, HF_TOKEN gives access to its private and gated models.

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
  /** Lanes decode together; undefined: where it is faster. */
  readonly together?: boolean;
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
  const settings = settingsOf(values);
  const types = typeOptions(values, USAGE);
  if (!fs.existsSync(values.model))
    throw inputError(`There is no model directory ${values.model}.`);
  const { "chunk-rows": chunkRows, memory, json } = values;
  const conversation = conversationOf(tokens);
  const lanes = (values.compare?.split(",") ?? []).map((lane) =>
    parseLane(lane, "compare", settings, USAGE),
  );
  const hasLanesOnly = lanes.length > 0 && conversation.turns.length === 1;
  checkOptionsUsed(hasLanesOnly ? lanes : [settings, ...lanes], settings, USAGE);
  return {
    ...conversation,
    model: path.resolve(values.model),
    settings,
    lanes,
    ...(values.together && { together: true }),
    sampling: samplingOf(values),
    types,
    ...(chunkRows !== undefined && {
      chunkRows: numberOption("chunk-rows", chunkRows, { from: 1, to: 4096, isWhole: true }),
    }),
    ...(memory !== undefined && {
      memoryMb: numberOption("memory", memory, { above: 0, to: 1e6 }),
    }),
    ...(json !== undefined && { json }),
  };
}

type Parsed = ReturnType<typeof parseArguments>;

/** The turns, each with the images before its prompt. */
function conversationOf(tokens: Parsed["tokens"]): Pick<AskCommand, "images" | "frames" | "turns"> {
  const images: Record<string, string> = {};
  const frames: Record<string, SampledFrame> = {};
  const turns: Turn[] = [];
  let waiting: string[] = [];
  const add = (file: string): string => {
    const key = `${Object.keys(images).length}-${path.basename(file)}`;
    images[key] = file;
    waiting.push(key);
    return key;
  };
  for (const token of tokens) {
    if (token.kind !== "option" || token.value === undefined) continue;
    if (token.name === "image") {
      if (!fs.existsSync(token.value)) throw inputError(`There is no file ${token.value}.`);
      add(path.resolve(token.value));
    } else if (token.name === "frames") {
      for (const { file, frame } of readFrames(token.value)) frames[add(file)] = frame;
    } else if (token.name === "prompt") {
      turns.push({ images: waiting, question: token.value });
      waiting = [];
    }
  }
  if (turns.length === 0) throw usageError("--prompt is missing.", USAGE);
  if (waiting.length > 0) throw usageError("An --image follows the last --prompt.", USAGE);
  return { images, ...(Object.keys(frames).length > 0 && { frames }), turns };
}

function settingsOf(values: Parsed["values"]): CacheSettings {
  const { policy, retention, scope, option, cap, earlier } = values;
  checkPolicy(policy, USAGE);
  return {
    policy,
    scope: scopeOption(scope, USAGE),
    retention: numberOption("retention", retention, { above: 0, to: 1 }),
    options: Object.fromEntries(option.map(parseOption)),
    ...(cap !== undefined && { capMb: numberOption("cap", cap, { above: 0, to: 1e6 }) }),
    ...(earlier !== undefined && {
      earlierRetention: numberOption("earlier", earlier, { above: 0, to: 1 }),
    }),
  };
}

function samplingOf(values: Parsed["values"]): Sampling {
  const { temperature, "top-k": topK, "top-p": topP, seed } = values;
  const maxNewTokens = values["max-new-tokens"];
  return {
    temperature: numberOption("temperature", temperature, { from: 0, to: 100 }),
    topK: numberOption("top-k", topK, { from: 0, to: 1e6, isWhole: true }),
    topP: numberOption("top-p", topP, { above: 0, to: 1 }),
    seed: numberOption("seed", seed, { from: 0, to: 2 ** 32 - 1, isWhole: true }),
    maxNewTokens: numberOption("max-new-tokens", maxNewTokens, { from: 1, to: 1e6, isWhole: true }),
  };
}

function parseArguments(argv: readonly string[]) {
  return parseCommandLine(
    {
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
        together: { type: "boolean" },
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
    },
    USAGE,
  );
}
