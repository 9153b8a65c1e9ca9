import type { CacheSettings, Sampling } from "@/protocol/engine";

/** A turn that has its answer. */
export interface PastTurn {
  /** In the order in which they stand before the question. */
  readonly images: readonly Blob[];
  readonly question: string;
  /** `TurnResult.tokenIds` of the answer. */
  readonly answerIds: readonly number[];
}

export interface Question {
  readonly question: string;
  /** Image files (PNG, JPEG, WebP, …), in the order in which they stand before the question. */
  readonly images?: readonly Blob[];
  /** The turns before this one, oldest first; `converse` keeps them for you. */
  readonly history?: readonly PastTurn[];
  /** Completed from `DEFAULT_SETTINGS`. Retention is a fraction in (0, 1], `capMb` counts 10^6 bytes. */
  readonly settings?: Partial<CacheSettings>;
  /** Completed from `DEFAULT_SAMPLING`. */
  readonly sampling?: Partial<Sampling>;
  /** Prefill again even if the cache could be appended to. */
  readonly fresh?: boolean;
  /**
   * Aborting it stops the answer within two tokens; `result` then resolves with `finish: "cancelled"`.
   * If it is aborted beforehand nothing is started, and `result` rejects with code `cancelled`.
   */
  readonly signal?: AbortSignal;
}
