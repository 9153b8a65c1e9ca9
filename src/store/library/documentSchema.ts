import type { EngineFailure, FailureCode } from "@/protocol/failure";
import { KV_CHOICES } from "@/protocol/model";
import type { CacheSettings, SampledFrame, Sampling } from "@/protocol/request";
import type { ImageLayout, LayerReport, MissingReference } from "@/protocol/result";
import { MAX_IMAGES } from "../conversation/imageBudget";
import { MAX_HIDDEN } from "../conversation/occlusion";
import type { Origin } from "../conversation/origin";
import type { KvSample, Timings } from "../conversation/timings";
import {
  type ConversationDocument,
  type DocumentAnswer,
  type DocumentAttempt,
  type DocumentExchange,
  type DocumentImage,
  type DocumentReference,
  type DocumentResult,
  FORMAT,
  VERSION,
} from "./exportJson";
import { noticeSchema, reasonSchema } from "./noticeSchemas";
import type { HiddenRecord } from "./records";
import {
  dictionary,
  either,
  finite,
  flag,
  list,
  longString,
  object,
  oneOf,
  optional,
  string,
  whole,
} from "./schema";

/** Upper bound of a grid's rows or columns. */
const MAX_PATCHES = 4096;
/** Upper bounds of questions in a conversation and of answers to one question. */
const MAX_EXCHANGES = 512;
const MAX_ATTEMPTS = 256;

const settings = object<CacheSettings>({
  policy: string,
  retention: finite,
  scope: oneOf("visual", "prompt"),
  options: dictionary(either(finite, string)),
  capMb: optional(finite),
  earlierRetention: optional(finite),
});
const sampling = object<Sampling>({
  maxNewTokens: whole(),
  temperature: finite,
  topK: whole(),
  topP: finite,
  seed: whole(),
});
const origin = object<Origin>({
  model: string,
  elementType: oneOf("f16", "f32", "bf16", "q8", "q4"),
  kvType: oneOf(...KV_CHOICES),
  versions: dictionary(string),
  vendor: string,
  architecture: string,
  description: string,
  isFallback: flag,
  sampling,
  startedAt: finite,
});
const box = object<HiddenRecord["patches"][number]["box"]>({
  x: finite,
  y: finite,
  width: finite,
  height: finite,
});
const hidden = object<HiddenRecord>({
  picture: string,
  patches: list(object<HiddenRecord["patches"][number]>({ position: whole(), box }), MAX_HIDDEN),
});
const trace = object<Timings>({
  tokenMs: list(finite),
  kv: list(
    object<KvSample>({
      at: finite,
      bytes: finite,
      fullBytes: finite,
      mark: optional(oneOf("prefill", "compact", "end")),
    }),
  ),
});
const layer = object<LayerReport>({
  rowsBefore: finite,
  rowsAfter: finite,
  rowsEnd: optional(finite),
  kept: list(whole()),
  keptPerHead: optional(list(list(whole()))),
  keptEnd: optional(list(list(whole()))),
});
const layout = object<ImageLayout>({
  image: string,
  alsoShows: optional(list(string)),
  width: whole(),
  height: whole(),
  tiles: list(
    object<ImageLayout["tiles"][number]>({
      firstPosition: whole(),
      gridRows: whole(MAX_PATCHES),
      gridColumns: whole(MAX_PATCHES),
      box,
    }),
  ),
});
const answerFields = {
  answer: longString,
  tokenIds: list(whole()),
  logProbabilities: optional(list(finite)),
  promptIds: optional(list(whole())),
  finish: oneOf("stop", "length", "cancelled", "context", "memory"),
  promptTokens: whole(),
  visualTokens: whole(),
  appended: flag,
  policy: string,
  retention: finite,
  scope: oneOf("visual", "prompt"),
  layers: list(layer),
  kvBytes: object<DocumentResult["kvBytes"]>({
    before: finite,
    after: finite,
    peak: finite,
    end: finite,
    full: finite,
  }),
  ms: object<DocumentResult["ms"]>({
    vision: finite,
    prefill: finite,
    score: finite,
    plan: finite,
    compact: finite,
    firstToken: finite,
    decodePerToken: object<DocumentResult["ms"]["decodePerToken"]>({ median: finite, p95: finite }),
  }),
  images: list(layout),
  notices: list(noticeSchema),
  notes: dictionary(either(finite, list(finite))),
};
const reference = either(
  object<MissingReference>({ missing: oneOf("cap", "memory", "stopped") }),
  object<Exclude<DocumentReference, MissingReference>>({
    result: object<DocumentAnswer>(answerFields),
    source: oneOf("fork", "prefill"),
    peakBytes: finite,
  }),
);
const result = object<DocumentResult>({ ...answerFields, reference: optional(reference) });
/** Listed individually, so that the compiler reports a missing one. */
const FAILURE_CODES: Readonly<Record<FailureCode, true>> = {
  noWebGpu: true,
  missingLimit: true,
  unknownArchitecture: true,
  missingFile: true,
  badModel: true,
  badImage: true,
  imageTooLarge: true,
  badRequest: true,
  contextOverflow: true,
  outOfMemory: true,
  capTooSmall: true,
  deviceLost: true,
  busy: true,
  cancelled: true,
  noModel: true,
  internal: true,
};
const failure = object<EngineFailure>({
  code: oneOf(...(Object.keys(FAILURE_CODES) as FailureCode[])),
  message: string,
  reason: optional(reasonSchema),
  detail: optional(string),
  action: optional(
    oneOf("retry", "keepLess", "chooseImage", "reload", "newConversation", "smallerWeights"),
  ),
  neededMb: optional(finite),
});
/** An export of `exportJson`. */
export const documentSchema = object<ConversationDocument>({
  format: oneOf(FORMAT),
  version: oneOf(VERSION),
  name: string,
  createdAt: string,
  updatedAt: string,
  pictures: list(
    object<DocumentImage>({
      id: string,
      title: string,
      alt: string,
      width: whole(),
      height: whole(),
      sampleId: optional(string),
      frame: optional(object<SampledFrame>({ video: string, seconds: finite, duration: finite })),
      data: longString,
    }),
    MAX_IMAGES,
  ),
  exchanges: list(
    object<DocumentExchange>({
      question: string,
      pictures: list(string),
      attempts: list(
        object<DocumentAttempt>({
          settings,
          comparison: optional(string),
          hidden: optional(hidden),
          result: optional(result),
          origin: optional(origin),
          trace: optional(trace),
          failure: optional(failure),
          text: optional(longString),
        }),
        MAX_ATTEMPTS,
      ),
    }),
    MAX_EXCHANGES,
  ),
});
