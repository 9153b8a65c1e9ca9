import type { Taps } from "@/compression/taps/registry";
import type { DecodeRule, KeepPlan, VisionTaps } from "@/compression/types";
import type { KvCache } from "@/model/kv/cache";
import type { RowCounts } from "@/model/kv/layout";
import type { EngineEvent, Stage } from "@/protocol/event";
import type { LoadedModel } from "../load/loadedModel";
import type { FirstAttention } from "../report/explanation";
import type { MemoryReporter } from "../report/memoryReporter";
import type { Progress } from "../report/progress";
import { fullKvBytes } from "../report/report";
import type { PrefillSpan } from "../request/prefillSpan";
import type { PreparedTurn } from "../request/turn";
import type { ConversationImages } from "../session/images";

/** Output of the stages: events and device errors. */
export interface StageIo {
  readonly emit: (event: EngineEvent) => void;
  /** Throws an error that the device has reported since the last check. */
  readonly check: () => void;
  readonly reporter: Pick<MemoryReporter, "fullKv" | "mark" | "tell">;
}

/** What all questions of a conversation are answered with. */
export interface StageContext {
  readonly model: LoadedModel;
  /** Undefined if the model reads text only. */
  readonly images: ConversationImages | undefined;
  readonly io: StageIo;
}

/** One question in the stages. */
export interface Job extends StageContext {
  readonly turn: PreparedTurn;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** A range of a prompt's tokens that is prefilled and compressed as a unit. */
export interface Segment {
  readonly start: number;
  readonly end: number;
}

/** A completed prefill: the rows it added, the rows before them, and the recorded attention. */
export interface Prefilled {
  readonly cache: KvCache;
  readonly span: PrefillSpan;
  readonly before: RowCounts;
  /** Of the first request. */
  readonly taps: Taps;
  /** Per request. */
  readonly recorded: readonly Taps[];
  /** What its policy chose rows by before it. */
  readonly vision?: VisionTaps | undefined;
  /** Attention of its last row, if an explanation was requested and there is an image. */
  readonly firstAttention?: FirstAttention | undefined;
}

/**
 * A policy's decision about a prefill: the rows to keep, and the rule for eviction while decoding.
 */
export interface Decision {
  readonly plan: KeepPlan;
  readonly rule: DecodeRule | undefined;
}

/** Tells how far a stage is. */
export function tellStage(
  { io }: Pick<StageContext, "io">,
  stage: Stage,
  done: number,
  total: number,
): void {
  io.emit({ type: "stage", stage, done, total });
}

/** Reports the memory pools, with a mark on the timeline. */
export function markMemory(
  { io: { reporter } }: Pick<StageContext, "io">,
  mark: "prefill" | "compact" | "end",
  cache: KvCache | undefined,
): void {
  reporter.fullKv = cache ? fullKvBytes(cache) : 0;
  reporter.mark(mark);
}
