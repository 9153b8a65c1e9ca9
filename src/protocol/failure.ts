import type { FailureReason } from "./reason";

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
