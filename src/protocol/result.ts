import type { EngineFailure } from "./failure";
import type { RecordedNotice } from "./notice";

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
    /** Bytes of a full cache: rows seen × bytes per row, rounded up to whole blocks. */
    readonly full: number;
  };
  /** Milliseconds. A lane's are those of its own work and of what it shares. */
  readonly ms: {
    readonly vision: number;
    readonly prefill: number;
    readonly score: number;
    readonly plan: number;
    readonly compact: number;
    /** From the question to the first token; 0 without a token. */
    readonly firstToken: number;
    /** From one token to the next; zeros for fewer than two. */
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

/** KV rows of one layer before and after compaction. */
export interface LayerReport {
  readonly rowsBefore: number;
  /** The mean over heads if heads differ. */
  readonly rowsAfter: number;
  /** Rows at the end of the answer, including its own; absent before. */
  readonly rowsEnd?: number;
  /** Original prompt positions of the kept rows, ascending. */
  readonly kept: readonly number[];
  /** Present if the heads of the layer keep different rows. */
  readonly keptPerHead?: readonly (readonly number[])[];
  /**
   * Those of the kept rows that are cached at the end of the answer: one list, or one per head. Present if the answer
   * evicted some, or gave them up under a cap.
   */
  readonly keptEnd?: readonly (readonly number[])[];
}

export interface ImageLayout {
  /** Key of `AskRequest.images`. */
  readonly image: string;
  /** Keys of further frames of a video that its rows show, too. */
  readonly alsoShows?: readonly string[];
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

/** A lane's answer, or its failure; other lanes continue. */
export type LaneOutcome =
  | { readonly result: TurnResult; readonly failure?: never }
  | { readonly failure: EngineFailure; readonly result?: never };

export interface PlanPreview {
  readonly layers: readonly { readonly rows: number; readonly kept: readonly number[] }[];
  /** Bytes that the cache would take. */
  readonly kvBytes: number;
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
