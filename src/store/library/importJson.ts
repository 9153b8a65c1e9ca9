import type {
  CacheSettings,
  EngineFailure,
  ImageLayout,
  LayerReport,
  Sampling,
} from "@/protocol/engine";
import type { Hidden } from "../conversation/occlusion";
import type { Origin } from "../conversation/origin";
import type { KvSample, Trace } from "../conversation/trace";
import {
  type ConversationDocument,
  type DocumentAttempt,
  type DocumentExchange,
  type DocumentPicture,
  type DocumentResult,
  FORMAT,
  VERSION,
} from "./exportJson";
import type { AttemptRecord, ConversationRecord, SettledRun } from "./records";
import {
  dictionary,
  either,
  flag,
  list,
  number,
  oneOf,
  optional,
  record,
  ShapeError,
  text,
  whole,
} from "./shape";

/** More rows or columns than any picture's grid has: beyond it, drawing would not end. */
const MOST_PATCHES = 4096;

const settings = record<CacheSettings>({
  policy: text,
  retention: number,
  scope: oneOf("visual", "prompt"),
  options: dictionary(either(number, text)),
  capMb: optional(number),
});
const sampling = record<Sampling>({
  maxNewTokens: whole(),
  temperature: number,
  topK: whole(),
  topP: number,
  seed: whole(),
});
const origin = record<Origin>({
  model: text,
  elementType: oneOf("f16", "f32", "bf16"),
  kvType: oneOf("f16", "f32"),
  versions: dictionary(text),
  vendor: text,
  architecture: text,
  description: text,
  isFallback: flag,
  sampling,
  startedAt: number,
});
const box = record<Hidden["patches"][number]["box"]>({
  x: number,
  y: number,
  width: number,
  height: number,
});
const hidden = record<Hidden>({
  picture: text,
  patches: list(record<Hidden["patches"][number]>({ position: whole(), box })),
});
const trace = record<Trace>({
  tokenMs: list(number),
  kv: list(
    record<KvSample>({
      at: number,
      bytes: number,
      fullBytes: number,
      mark: optional(oneOf("prefill", "compact", "end")),
    }),
  ),
});
const layer = record<LayerReport>({
  rowsBefore: number,
  rowsAfter: number,
  rowsEnd: optional(number),
  kept: list(whole()),
  keptPerHead: optional(list(list(whole()))),
});
const layout = record<ImageLayout>({
  image: text,
  width: whole(),
  height: whole(),
  tiles: list(
    record<ImageLayout["tiles"][number]>({
      firstPosition: whole(),
      gridRows: whole(MOST_PATCHES),
      gridColumns: whole(MOST_PATCHES),
      box,
    }),
  ),
});
const result = record<DocumentResult>({
  answer: text,
  tokenIds: list(whole()),
  finish: oneOf("stop", "length", "cancelled", "context", "memory"),
  promptTokens: whole(),
  visualTokens: whole(),
  appended: flag,
  policy: text,
  retention: number,
  scope: oneOf("visual", "prompt"),
  layers: list(layer),
  kvBytes: record<DocumentResult["kvBytes"]>({
    before: number,
    after: number,
    peak: number,
    end: number,
    full: number,
  }),
  ms: record<DocumentResult["ms"]>({
    vision: number,
    prefill: number,
    score: number,
    plan: number,
    compact: number,
    firstToken: number,
    decodePerToken: record<DocumentResult["ms"]["decodePerToken"]>({ median: number, p95: number }),
  }),
  images: list(layout),
  notices: list(text),
  notes: dictionary(either(number, list(number))),
});
const failure = record<EngineFailure>({
  code: oneOf(
    "noWebGpu",
    "missingLimit",
    "unknownArchitecture",
    "missingFile",
    "badModel",
    "badImage",
    "imageTooLarge",
    "badRequest",
    "contextOverflow",
    "outOfMemory",
    "capTooSmall",
    "deviceLost",
    "busy",
    "cancelled",
    "noModel",
    "internal",
  ),
  message: text,
  action: optional(oneOf("retry", "keepLess", "chooseImage", "reload", "newConversation")),
});
const document = record<ConversationDocument>({
  format: oneOf(FORMAT),
  version: oneOf(VERSION),
  name: text,
  createdAt: text,
  updatedAt: text,
  pictures: list(
    record<DocumentPicture>({
      id: text,
      title: text,
      alt: text,
      width: whole(),
      height: whole(),
      sampleId: optional(text),
      data: text,
    }),
  ),
  exchanges: list(
    record<DocumentExchange>({
      question: text,
      pictures: list(text),
      attempts: list(
        record<DocumentAttempt>({
          settings,
          comparison: optional(text),
          hidden: optional(hidden),
          result: optional(result),
          origin: optional(origin),
          trace: optional(trace),
          failure: optional(failure),
          text: optional(text),
        }),
      ),
    }),
  ),
});

/**
 * Reads what `exportJson` wrote. Nothing in it is taken on trust.
 * @param name of the file, for the sentence
 * @throws ShapeError with one sentence
 */
export function readDocument(json: string, name: string): ConversationDocument {
  try {
    const read = document(JSON.parse(json), "");
    checkReferences(read);
    return read;
  } catch (error) {
    const why = error instanceof ShapeError ? error.message : "it is not JSON";
    throw new ShapeError(`“${name}” is not a conversation of Keepsight: ${why}.`);
  }
}

function checkReferences({ pictures, exchanges }: ConversationDocument): void {
  const known = new Set(pictures.map(({ id }) => id));
  for (const [index, exchange] of exchanges.entries()) {
    const missing = exchange.pictures.find((id) => !known.has(id));
    if (missing !== undefined) {
      throw new ShapeError(`exchanges[${index}] names a picture that is not in it`);
    }
    if (exchange.attempts.length === 0) throw new ShapeError(`exchanges[${index}] has no attempts`);
    for (const [place, { result: given, failure: why }] of exchange.attempts.entries()) {
      if (given === undefined && why === undefined) {
        const at = `exchanges[${index}].attempts[${place}]`;
        throw new ShapeError(`${at} has neither a result nor a failure`);
      }
    }
  }
}

/** A document as a conversation of its own, whatever else is kept here. */
export function recordOf(
  { name, createdAt, pictures, exchanges }: ConversationDocument,
  newId: () => string,
  now: number,
): ConversationRecord {
  const created = Date.parse(createdAt);
  return {
    id: newId(),
    createdAt: Number.isFinite(created) ? created : now,
    updatedAt: now,
    name,
    pictures: pictures.map(({ data, ...picture }) => ({ ...picture, blob: blobOf(data) })),
    exchanges: exchanges.map((exchange) => ({
      ...exchange,
      id: newId(),
      attempts: exchange.attempts.map((attempt) => attemptOf(attempt, newId())),
    })),
  };
}

function attemptOf(
  { result: given, failure: why, text: said, trace, origin, ...attempt }: DocumentAttempt,
  id: string,
): AttemptRecord {
  const measured = { ...(origin ? { origin } : {}), ...(trace ? { trace } : {}) };
  const run: SettledRun = given
    ? { phase: "done", result: given, ...measured }
    : { phase: "failed", text: said ?? "", failure: why ?? UNKNOWN };
  return { ...attempt, id, run };
}

const UNKNOWN: EngineFailure = { code: "internal", message: "It failed.", action: "retry" };

/** @throws ShapeError where it is no base64 data URL */
export function blobOf(dataUrl: string): Blob {
  const comma = dataUrl.indexOf(",");
  const type = /^data:([\w/+.-]+);base64$/.exec(dataUrl.slice(0, Math.max(0, comma)))?.[1];
  if (type === undefined) throw new ShapeError("A picture of this conversation is no data URL.");
  try {
    const letters = atob(dataUrl.slice(comma + 1));
    return new Blob([Uint8Array.from(letters, (letter) => letter.charCodeAt(0))], { type });
  } catch {
    throw new ShapeError("A picture of this conversation is damaged.");
  }
}
