import type { CacheSettings, Sampling } from "@/protocol/request";

/** An answered turn. */
export interface PastTurn {
  /** In their order before the question. */
  readonly images: readonly Blob[];
  readonly question: string;
  /** `TurnResult.tokenIds` of the answer. */
  readonly answerIds: readonly number[];
}

export interface Question {
  readonly question: string;
  /** Image files (PNG, JPEG, WebP, …), in their order before the question. */
  readonly images?: readonly Blob[];
  /** The earlier turns, oldest first; `converse` manages them. */
  readonly history?: readonly PastTurn[];
  /** Completed from `DEFAULT_SETTINGS`. Retention is a fraction in (0, 1], `capMb` counts 10^6 bytes. */
  readonly settings?: Partial<CacheSettings>;
  /** Completed from `DEFAULT_SAMPLING`. */
  readonly sampling?: Partial<Sampling>;
  /**
   * Also answer from the full cache, after the compressed answer: `TurnResult.reference`. Iteration
   * ends with the compressed answer.
   */
  readonly reference?: boolean;
  /** Run a new prefill even if the engine could append. */
  readonly fresh?: boolean;
  /**
   * Aborting it stops the answer within two tokens; `result` then resolves with `finish:
   * "cancelled"`. If it is aborted beforehand, nothing starts, and `result` rejects with code
   * `cancelled`.
   */
  readonly signal?: AbortSignal;
}
