import type { Taps } from "@/compression/taps/registry";
import type { DecodeRule, KeepPlan } from "@/compression/types";
import type { KvCache, RowCounts } from "@/model/kv/cache";
import type { EngineEvent } from "@/protocol/engine";
import type { FirstLook } from "../report/explanation";
import type { MemoryReporter } from "../report/memoryReporter";
import type { Progress } from "../report/progress";
import type { PrefillSpan } from "../request/prefillSpan";
import type { PreparedTurn } from "../request/turn";

/** Where the phases tell what they do. */
export interface PhaseIo {
  readonly emit: (event: EngineEvent) => void;
  /** Throws what the device has reported since the last check. */
  readonly check: () => void;
  readonly reporter: MemoryReporter;
}

/** One question on its way through the phases. */
export interface Job {
  readonly turn: PreparedTurn;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** A stretch of a prompt's tokens that is prefilled and compressed at once. */
export interface Segment {
  readonly start: number;
  readonly end: number;
}

/** A prefill that is done: the rows it added, what stood before them, what they attend to. */
export interface Prefilled {
  readonly cache: KvCache;
  readonly span: PrefillSpan;
  readonly before: RowCounts;
  /** Of the first request. */
  readonly taps: Taps;
  /** Per request. */
  readonly recorded: readonly Taps[];
  /** What its last row looked at, where the answer is to be explained and there is an image. */
  readonly look?: FirstLook | undefined;
}

/** A policy's decision about a prefill: which rows stay, and what goes while decoding. */
export interface Decision {
  readonly plan: KeepPlan;
  readonly rule: DecodeRule | undefined;
}
