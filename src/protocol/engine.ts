import type { Notice, RecordedNotice } from "./notice";
import type { FailureReason } from "./reason";

/**
 * The only interface between a page and an engine: requests, events and failures. A worker
 * implements it (`runtime/`), and so does a scripted engine (`client/scriptedEngine.ts`).
 */

export interface Engine {
  /** Loads a model and replaces the current one. Progress is reported by `load` events. */
  load(request: LoadRequest): Promise<ModelInfo>;
  /**
   * What a `config.json` says about a model, before anything large is fetched.
   * @param beside the texts of `preprocessor_config.json` and `processor_config.json`, by name, if there are any
   * @throws EngineError `badModel`, `unknownArchitecture`
   */
  inspect(config: string, beside?: Readonly<Record<string, string>>): Promise<ModelOutline>;
  /**
   * What the images of a turn would add to its prompt, from their sizes alone. Nothing is encoded.
   * @throws EngineError `noModel`, `badImage`
   */
  priceImages(images: readonly PricedImage[]): Promise<ImagePrice>;
  /**
   * Measures how fast this adapter reads and multiplies weights, in less than a second.
   * @throws EngineError `busy` during a request, and before the first load
   */
  measure(): Promise<AdapterRate>;
  /**
   * Answers the last turn of a conversation. Each call carries the whole conversation. The engine
   * appends to its cache if possible, and otherwise runs a new prefill. Tokens are reported by
   * `token` events. Rejects with `EngineError`.
   */
  ask(request: AskRequest): Promise<TurnResult>;
  /**
   * Answers the last turn once per lane, each from a fork of one prefill, one after the other.
   * Events name their lane. The first lane's cache is kept for the next question.
   */
  compare(request: CompareRequest): Promise<readonly LaneOutcome[]>;
  /**
   * Stops the running `load`, `ask` or `compare` within two tokens; `ask` then resolves with the
   * answer so far.
   */
  cancel(): Promise<void>;
  /** What `settings` would keep of the last prompt, from its recorded attention; runs no model. */
  preview(settings: CacheSettings): Promise<PlanPreview>;
  /**
   * The conversation's cache as a file, to go on without a prefill later; undefined if there is none, or
   * while a request runs.
   */
  saveCache(): Promise<Blob | undefined>;
  /**
   * Replaces the conversation's cache by a saved one. The next request appends to it if it continues the
   * same conversation under the same settings.
   * @returns false if other weights, another format or cache type saved it
   */
  restoreCache(saved: Blob): Promise<boolean>;
  /** Frees the conversation's cache and image features; weights stay. */
  clear(): Promise<void>;
  /** Live GPU bytes, by pool. */
  memory(): Promise<MemoryReading>;
  /** Returns the function that unsubscribes. */
  subscribe(listener: (event: EngineEvent) => void): () => void;
}

export interface LoadRequest {
  /** URL of a model directory in the Hugging Face layout, ending in a slash. */
  readonly baseUrl: string;
  /**
   * The directory's files by path, if they are already here (a folder that somebody chose, a kept
   * download). Then nothing is fetched, and `baseUrl` is only the model's name.
   */
  readonly files?: ReadonlyMap<string, Blob>;
  /** Commit of the files, if they come from the Hub. */
  readonly revision?: string;
  /** Element type of the KV cache; default: f32 for F32 weights, else f16. */
  readonly kvType?: "f16" | "f32";
  /**
   * How matrices of 16 or 32 bits are held: `f16` rounds those of 32 bits, `q8` and `q4` round all of the
   * decoder's to 8 and 4 bits. Default: as the file has them.
   */
  readonly weightType?: "f16" | "q8" | "q4";
  /** Rows per prefill chunk (default 256). */
  readonly chunkRows?: number;
  /**
   * Ceiling of all live GPU buffers in megabytes (10^6 bytes). WebGPU does not say how much memory an
   * adapter has, so the default is none.
   */
  readonly memoryMb?: number;
}

export interface ImageSize {
  readonly width: number;
  readonly height: number;
}

/** An image's size, upright, in pixels. */
export interface PricedImage extends ImageSize {
  readonly frame?: SampledFrame;
}

export interface ImagePrice {
  /** Tokens that they add to the prompt: visual rows and their markup. */
  readonly tokens: number;
  /** Bytes of these in a full KV cache. */
  readonly kvBytes: number;
}

/** Rates of an adapter with f16 weights, measured with the kernels in use. */
export interface AdapterRate {
  /** Bytes of weights that decoding reads per second. */
  readonly bytesPerSecond: number;
  /** Operations per second of a matrix product with many rows; a multiply-add is two. */
  readonly flopsPerSecond: number;
  /** A software adapter. */
  readonly isFallback: boolean;
}

/** A model's shape, as far as its configuration tells. */
export interface ModelOutline {
  /** Usual name of its family. */
  readonly family: string;
  readonly hasVision: boolean;
  readonly layers: number;
  readonly contextLength: number;
  /** KV-cache bytes of one row over all layers, in f16. */
  readonly bytesPerRow: number;
  /**
   * Bytes that the weights take less in 8 and in 4 bits than in their file; absent if the file has them in
   * 8 or 4 bits.
   */
  readonly savedBytes?: { readonly q8: number; readonly q4: number };
  /**
   * Visual rows of an image of `OUTLINE_IMAGE`; absent without vision, or if the image processor's files
   * were not given.
   */
  readonly rowsPerImage?: number;
}

/** The size for which an outline counts the rows of an image. */
export const OUTLINE_IMAGE: ImageSize = { width: 1024, height: 768 };

export interface ModelInfo {
  readonly id: string;
  readonly parameters: number;
  /** Bytes read to load it. */
  readonly bytes: number;
  /** Element type of the weights, as they are held. */
  readonly elementType: "f16" | "f32" | "bf16" | "q8" | "q4";
  readonly kvType: "f16" | "f32";
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly contextLength: number;
  /**
   * Visual rows of an image that is not cut into tiles, the minimum for any image; absent if the
   * model has no vision.
   */
  readonly rowsPerTile?: number;
  /** KV-cache bytes of one row over all layers. */
  readonly bytesPerRow: number;
  readonly adapter: AdapterInfo;
  readonly card?: ModelCard;
  /** Milliseconds from the call to ready. */
  readonly loadMs: number;
  /** Highest sum of GPU buffers and of the arrays and staged uploads of weights, while loading. */
  readonly loadPeakBytes: number;
  /**
   * By name. `weights` identifies them: `commit:` of the Hub, else `sha256:` of the decoder's tensors
   * (`WeightCheck`).
   */
  readonly versions: Readonly<Record<string, string>>;
}

/** What a model directory says about its model: the field `keepsight` of `config.json`. */
export interface ModelCard {
  /** One English sentence: what it was made to read. */
  readonly purpose?: string;
  /** An answer is marked as unsure below this probability (see `text/confidence.ts`). */
  readonly confidence?: { readonly measure: "mean" | "min"; readonly threshold: number };
}

export interface AdapterInfo {
  readonly vendor: string;
  readonly architecture: string;
  readonly description: string;
  /** A software adapter: correct but slow. Its times do not represent a GPU. */
  readonly isFallback: boolean;
  readonly features: readonly string[];
  /** Reduction of the kernels in use: what shares a unit of work. `lanes` is its name in JSON output. */
  readonly lanes: "one" | "workgroup" | "subgroup";
  /** One for each variant that the self-test replaced. */
  readonly notices: readonly Notice[];
}

export interface Turn {
  /** Keys of `AskRequest.images`, in their order before the question. */
  readonly images: readonly string[];
  readonly question: string;
  /** Generated ids of an earlier turn; absent for the turn to answer. */
  readonly answerIds?: readonly number[];
}

/** A frame that was sampled from a video. */
export interface SampledFrame {
  /** Identifies the video. */
  readonly video: string;
  /** Its time. */
  readonly seconds: number;
  /** Length of the video in seconds. */
  readonly duration: number;
}

export interface AskRequest {
  readonly turns: readonly Turn[];
  readonly images: Readonly<Record<string, Blob>>;
  /**
   * Which of `images` are frames of videos. Frames of one video follow each other in a turn; the model's
   * family says how they are cut and written.
   */
  readonly frames?: Readonly<Record<string, SampledFrame>>;
  readonly settings: CacheSettings;
  readonly sampling: Sampling;
  /** Run a new prefill even if the engine could append (*Ask again*). */
  readonly fresh?: boolean;
  /** Also record the answer's attention and the policy's scores. */
  readonly explain?: boolean;
  /**
   * Also answer from the full cache, after the compressed answer, and return that as
   * `TurnResult.reference`. An `answered` event gives the compressed answer before.
   */
  readonly reference?: boolean;
  /** Also return the prompt's ids. */
  readonly promptIds?: boolean;
}

export interface CompareRequest extends Omit<AskRequest, "settings" | "fresh" | "promptIds"> {
  /** Two or more ways to compress the same prompt. */
  readonly lanes: readonly CacheSettings[];
}

/** A lane's answer, or its failure; other lanes continue. */
export type LaneOutcome =
  | { readonly result: TurnResult; readonly failure?: never }
  | { readonly failure: EngineFailure; readonly result?: never };

export interface CacheSettings {
  /** Policy id. */
  readonly policy: string;
  /** Fraction of the candidate rows to keep, in (0, 1]. */
  readonly retention: number;
  readonly scope: "visual" | "prompt";
  readonly options: Readonly<Record<string, number | string>>;
  /** Ceiling of the KV pool in megabytes (10^6 bytes), for the whole conversation. */
  readonly capMb?: number;
  /**
   * Fraction in (0, 1] of the image rows of earlier turns that stay. The question ranks them again before
   * it is prefilled. Absent: what their turns kept. Not for comparisons.
   */
  readonly earlierRetention?: number;
}

export interface Sampling {
  readonly maxNewTokens: number;
  /** 0 is greedy. */
  readonly temperature: number;
  /** 0 is off. */
  readonly topK: number;
  /** 1 is off. */
  readonly topP: number;
  readonly seed: number;
}

/** A step of the pipeline from an image to its answer. */
export type Phase = "vision" | "prefill" | "score" | "plan" | "compact" | "decode" | "reference";

/** KV rows of one layer before and after compaction. */
export interface LayerReport {
  readonly rowsBefore: number;
  /** The mean over heads if heads differ. */
  readonly rowsAfter: number;
  /** Rows at the end of the answer, including its own; absent before. */
  readonly rowsEnd?: number;
  /** Original prompt positions of the rows held after compaction, ascending. */
  readonly kept: readonly number[];
  /** Present if the heads of the layer keep different rows. */
  readonly keptPerHead?: readonly (readonly number[])[];
}

/** One answered turn, with the fields that `npm run ask -- --json` writes. */
export interface TurnResult {
  readonly answer: string;
  /** Every generated id, including special tokens and the stop token. */
  readonly tokenIds: readonly number[];
  /**
   * Natural logarithm of each token's probability under the model, before temperature, top-k and
   * top-p; absent in older records.
   */
  readonly logProbabilities?: readonly number[];
  readonly finish: "stop" | "length" | "cancelled" | "context" | "memory";
  /** New rows of this turn. */
  readonly promptTokens: number;
  /** New rows of `image_token_id` alone. */
  readonly visualTokens: number;
  /** Ids of the whole prompt, with one image token per visual row. Present if requested. */
  readonly promptIds?: readonly number[];
  /** Whether the turn was appended to the previous turn's cache. */
  readonly appended: boolean;
  readonly policy: string;
  readonly retention: number;
  readonly scope: "visual" | "prompt";
  readonly layers: readonly LayerReport[];
  /** Sizes of live GPU buffers of the KV pool. */
  readonly kvBytes: {
    /** At the end of prefill. */
    readonly before: number;
    /** Just after trimming. */
    readonly after: number;
    /** The turn's peak. */
    readonly peak: number;
    /** At the end of the answer. */
    readonly end: number;
    /** Bytes of a full cache: rows seen × bytes per row, rounded up to the capacity step. */
    readonly full: number;
  };
  readonly ms: {
    readonly vision: number;
    readonly prefill: number;
    readonly score: number;
    readonly plan: number;
    readonly compact: number;
    readonly firstToken: number;
    readonly decodePerToken: { readonly median: number; readonly p95: number };
  };
  /** Location of each visual row in its image. */
  readonly images: readonly ImageLayout[];
  /** For the user: an animation's first frame was used, a window was clamped, … */
  readonly notices: readonly RecordedNotice[];
  readonly notes: Readonly<Record<string, number | readonly number[]>>;
  /** Present if requested. */
  readonly explanation?: Explanation;
  /** Present if requested, unless no row of the conversation was dropped. */
  readonly reference?: Reference;
}

/** The full cache's answer to a question that was answered from a compressed one. */
export type Reference = ReferenceAnswer | MissingReference;

export interface ReferenceAnswer {
  /**
   * From no compression at all: the same turns, images and sampling. Earlier answers are those of
   * the conversation. Its `kvBytes` are those of its own cache, freed afterwards.
   */
  readonly result: TurnResult;
  /**
   * `fork`: decoded from the rows of the same prefill. `prefill`: earlier turns were compressed, so
   * the whole conversation was prefilled once more.
   */
  readonly source: "fork" | "prefill";
  /** Peak bytes of both caches together. */
  readonly peakBytes: number;
}

/**
 * Why there is none. `cap`: both caches do not fit under the cap. `memory`: the device has not
 * enough memory. `stopped`: the request was stopped before the reference was complete.
 */
export interface MissingReference {
  readonly missing: "cap" | "memory" | "stopped";
}

/** An answer's attention and its policy's scores. */
export interface Explanation {
  /** Absent if the policy has no scores or the turn has no image. */
  readonly importance?: {
    /** Original positions of the turn's visual rows, ascending. */
    readonly positions: readonly number[];
    /** [layers, positions] the policy's own score, mean over heads; larger is kept first. */
    readonly scores: Float32Array;
  };
  readonly attention?: AnswerAttention;
}

/** Attention of each decoding step to the visual rows, mean over the query heads. */
export interface AnswerAttention {
  /** Original positions of all visual rows of the conversation, ascending. */
  readonly positions: readonly number[];
  readonly layers: number;
  /** Number of recorded steps: all generated tokens, or as many as the record can hold. */
  readonly steps: number;
  /** Number of characters of the answer after each step's token. [steps] */
  readonly ends: readonly number[];
  /**
   * [steps, layers, positions] attention of the step that determined the token: that of the
   * prompt's last row for the first token, that of the previous token for the others. A byte b
   * means (b / 255)². A row counts 0 in layers and heads that do not hold it. The first step is
   * before compaction: it includes all rows of its own prompt, and the remaining rows of earlier
   * turns.
   */
  readonly cells: Uint8Array;
}

export interface ImageLayout {
  /** Key of `AskRequest.images`. */
  readonly image: string;
  /** Size of the image after decoding and EXIF rotation, in pixels. */
  readonly width: number;
  readonly height: number;
  readonly tiles: readonly {
    /** Original position of the tile's first visual row. */
    readonly firstPosition: number;
    readonly gridRows: number;
    readonly gridColumns: number;
    /** The part of the image that the tile covers, in fractions of its width and height. */
    readonly box: {
      readonly x: number;
      readonly y: number;
      readonly width: number;
      readonly height: number;
    };
  }[];
}

export interface PlanPreview {
  readonly layers: readonly { readonly rows: number; readonly kept: readonly number[] }[];
  /** Bytes that the cache would take. */
  readonly kvBytes: number;
}

export interface MemoryReading {
  readonly weights: number;
  readonly kv: number;
  /** The full cache of a reference answer; part of no `kvBytes`. */
  readonly reference: number;
  readonly activations: number;
  readonly vision: number;
}

export type EngineEvent =
  | {
      readonly type: "load";
      readonly file: string;
      readonly loadedBytes: number;
      readonly totalBytes: number;
      readonly phase: "download" | "compile" | "selfTest";
    }
  | {
      /** Progress of one phase. Type and field keep the names that embedding pages read. */
      readonly type: "stage";
      readonly stage: Phase;
      readonly done: number;
      readonly total: number;
      /** Index of the lane in a comparison; absent if the phase is shared. */
      readonly lane?: number;
    }
  | {
      readonly type: "token";
      readonly index: number;
      readonly id: number;
      readonly text: string;
      readonly ms: number;
      readonly lane?: number;
    }
  | {
      readonly type: "memory";
      /** Milliseconds on the engine's clock. */
      readonly at: number;
      readonly pools: MemoryReading;
      /** Bytes of a full cache at this point. */
      readonly fullKv: number;
      readonly mark?: "prefill" | "compact" | "end";
    }
  | {
      readonly type: "compacted";
      readonly layers: readonly LayerReport[];
      readonly images: readonly ImageLayout[];
      readonly lane?: number;
    }
  | {
      /** The answer is complete; its reference follows. */
      readonly type: "answered";
      readonly result: TurnResult;
    }
  | {
      readonly type: "deviceLost";
      readonly message: string;
      /** The worker was ended because it did not stop. */
      readonly isStop?: true;
    };

export type FailureCode =
  | "noWebGpu"
  | "missingLimit"
  | "unknownArchitecture"
  | "missingFile"
  | "badModel"
  | "badImage"
  | "imageTooLarge"
  | "badRequest"
  | "contextOverflow"
  | "outOfMemory"
  | "capTooSmall"
  | "deviceLost"
  | "busy"
  | "cancelled"
  | "noModel"
  | "internal";

/**
 * A failure that crosses the worker's boundary: a code to switch on, a sentence to show, one action
 * to offer.
 */
export interface EngineFailure {
  readonly code: FailureCode;
  readonly message: string;
  readonly reason?: FailureReason;
  /** An error of a library or of the engine itself, for developers. It is not shown to users. */
  readonly detail?: string;
  readonly action?:
    | "retry"
    | "keepLess"
    | "chooseImage"
    | "reload"
    | "newConversation"
    | "smallerWeights";
  /** With `capTooSmall`: the cap, in megabytes, under which the same question fits. */
  readonly neededMb?: number;
}

export class EngineError extends Error {
  override readonly name = "EngineError";
  readonly failure: EngineFailure;

  constructor(failure: EngineFailure, options?: ErrorOptions) {
    super(failure.message, options);
    this.failure = failure;
  }
}

/** Converts any error to a failure. A programming error's own message becomes its `detail`. */
export function toFailure(error: unknown): EngineFailure {
  if (error instanceof EngineError) return error.failure;
  const detail = error instanceof Error ? error.message : String(error);
  return { code: "internal", message: "Something failed unexpectedly.", detail };
}
