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

/** Lanes of a comparison, at most: the full cache, eight shares, and the next settings' own. */
export const MOST_LANES = 10;

export interface CompareRequest extends Omit<AskRequest, "settings" | "fresh" | "promptIds"> {
  /** Two to `MOST_LANES` ways to compress the same prompt. */
  readonly lanes: readonly CacheSettings[];
  /**
   * Whether lanes decode together, over one read of the weights: sooner where there are many, but each token takes as long as a step
   * of all. Lanes that cannot (another prefill, eviction while decoding, a cap) decode one after the other. Default: four and more lanes.
   */
  readonly together?: boolean;
}

export interface Turn {
  /** Keys of `AskRequest.images`, in their order before the question. */
  readonly images: readonly string[];
  readonly question: string;
  /** Generated ids of an earlier turn; absent for the turn to answer. */
  readonly answerIds?: readonly number[];
  /** Instead of ids, the text of an answer that another model gave: ids belong to one tokenizer. */
  readonly answerText?: string;
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
