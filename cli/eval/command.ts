import fs from "node:fs";
import path from "node:path";
import { POLICIES } from "@/compression/registry";
import { greedy } from "@/protocol/defaults";
import type { CacheSettings, Sampling } from "@/protocol/request";
import { type Question, questionsOf, readDataset, readReferences } from "../shared/dataset";
import { checkOptionsUsed, parseLane, scopeOption } from "../shared/lanes";
import {
  inputError,
  numberOption,
  parseCommandLine,
  parseOption,
  type TypeOptions,
  typeOptions,
  usageError,
} from "../shared/options";

const USAGE = `npm run eval -- --data DIR [--model DIR] [--limit N] [--json FILE]
  [--policy ${POLICIES.map(({ id }) => id).join("|")}]
  [--retention 1] [--scope visual|prompt] [--option name=value …]
  [--policies full:1,prefixkv:0.5,aircache:0.1] [--max-new-tokens 128] [--weight-type f32|f16|q8|q4] [--kv-type f32|f16|q8|q4]
  [--reference FILE] [--processes N] [--shard I/N] [--seconds N] [--merge]

Asks every question of a data set (DIR/questions.jsonl) in its own conversation and scores the answers:
exact match per world, ROUGE-L, KV bytes, ms per token. --policies asks each question once per
policy:retention, from forks of one prefill for every ten. --reference (default: DIR/answers.jsonl if it
exists) has another implementation's answers for comparison. --limit takes equal parts of the worlds.
With --json FILE, FILE.questions.jsonl gets a line per question, from which a stopped command resumes.
eval:node needs no browser: WebGPU under Node, and the vision encoder from the safetensors. --processes
shares the questions among processes, each of which asks one --shard. --seconds asks nothing more after
that time. --merge asks nothing: it scores what processes have answered.
`;

/** One command line. */
export interface EvalCommand {
  readonly model: string;
  readonly questions: readonly Question[];
  readonly references: ReadonlyMap<string, string>;
  readonly lanes: readonly CacheSettings[];
  readonly sampling: Sampling;
  readonly types: TypeOptions;
  readonly json?: string;
  readonly processes: number;
  /** The part of the questions that this process asks: those whose index is `index` modulo `of`. */
  readonly shard?: { readonly index: number; readonly of: number };
  /** Time after which no question is asked. */
  readonly seconds: number;
  readonly onlyMerge: boolean;
}

/** @throws with exitCode 2 on usage, 1 on a file that is not there or cannot be read. */
export function parseEval(argv: readonly string[]): EvalCommand {
  const values = parseArguments(argv);
  const { data, policy, json } = values;
  if (data === undefined) throw usageError("--data is missing.", USAGE);
  const scope = scopeOption(values.scope, USAGE);
  const types = typeOptions(values, USAGE);
  const { merge } = values;
  const processes = numberOption("processes", values.processes, {
    from: 1,
    to: 256,
    isWhole: true,
  });
  if (json === undefined && (processes > 1 || values.shard || merge))
    throw usageError("Several processes need --json FILE.", USAGE);
  if (!fs.existsSync(values.model))
    throw inputError(`There is no model directory ${values.model}.`);
  const limit =
    values.limit === undefined
      ? Number.POSITIVE_INFINITY
      : numberOption("limit", values.limit, { from: 1, to: 1e6, isWhole: true });
  const options = Object.fromEntries(values.option.map(parseOption));
  const names = values.policies?.split(",") ?? [`${policy}:${values.retention}`];
  const lanes = names.map((name) =>
    parseLane(name, "policies", { policy, retention: 1, scope, options }, USAGE),
  );
  checkOptionsUsed(lanes, { policy, options }, USAGE);
  const reference = values.reference ?? defaultReference(data);
  return {
    model: path.resolve(values.model),
    questions: questionsOf(readDataset(data), limit),
    references: reference === undefined ? new Map() : readReferences(reference),
    lanes,
    sampling: greedy(
      numberOption("max-new-tokens", values["max-new-tokens"], { from: 1, to: 1e6, isWhole: true }),
    ),
    types,
    ...(json === undefined ? {} : { json }),
    processes,
    ...(values.shard === undefined ? {} : { shard: parseShard(values.shard) }),
    seconds: numberOption("seconds", values.seconds, { from: 0, to: 1e9 }),
    onlyMerge: merge,
  };
}

function parseShard(text: string): { readonly index: number; readonly of: number } {
  const [index, of] = text.split("/").map(Number);
  if (Number.isInteger(index) && Number.isInteger(of)) {
    const shard = { index: index as number, of: of as number };
    if (shard.index >= 0 && shard.index < shard.of) return shard;
  }
  throw usageError(`--shard is I/N with I from 0 to N - 1, not ${text}.`, USAGE);
}

function parseArguments(argv: readonly string[]) {
  return parseCommandLine(
    {
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
        "weight-type": { type: "string" },
        "kv-type": { type: "string" },
        reference: { type: "string" },
        processes: { type: "string", default: "1" },
        shard: { type: "string" },
        seconds: { type: "string", default: "1e9" },
        merge: { type: "boolean", default: false },
      },
    },
    USAGE,
  ).values;
}

function defaultReference(data: string): string | undefined {
  const file = path.join(data, "answers.jsonl");
  return fs.existsSync(file) ? file : undefined;
}
