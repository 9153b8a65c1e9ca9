import type { EngineEvent, Stage } from "@/protocol/event";
import type { EngineFailure } from "@/protocol/failure";
import type { ImageLayout, LaneOutcome, LayerReport, TurnResult } from "@/protocol/result";
import type { Origin } from "./origin";
import type { Timings } from "./timings";

export interface StageProgress {
  readonly stage: Stage;
  readonly done: number;
  readonly total: number;
}

/** The rows of the answer after compaction, as far as known. */
interface RowsReport {
  readonly layers: readonly LayerReport[];
  readonly images: readonly ImageLayout[];
}

/** One run of the engine for one question. */
export type Run =
  | { readonly phase: "queued" }
  | {
      readonly phase: "running";
      readonly text: string;
      readonly tokens: number;
      readonly stages: readonly StageProgress[];
      readonly report?: RowsReport;
    }
  | {
      readonly phase: "done";
      readonly result: TurnResult;
      readonly origin?: Origin;
      readonly timings?: Timings;
    }
  | { readonly phase: "failed"; readonly text: string; readonly failure: EngineFailure };

export const STARTED: Run = { phase: "running", text: "", tokens: 0, stages: [] };

/** Applies an engine event to a running attempt. In other states events are ignored. */
export function reduceRun(run: Run, event: EngineEvent): Run {
  if (run.phase !== "running") return run;
  switch (event.type) {
    case "token":
      return { ...run, text: run.text + event.text, tokens: event.index + 1 };
    case "stage":
      return { ...run, stages: withStage(run.stages, event) };
    case "compacted":
      return { ...run, report: { layers: event.layers, images: event.images } };
    case "answered":
      return { phase: "done", result: event.result };
    case "load":
    case "memory":
    case "deviceLost":
      return run;
    default:
      return event satisfies never;
  }
}

function withStage(
  stages: readonly StageProgress[],
  { stage, done, total }: Extract<EngineEvent, { type: "stage" }>,
): readonly StageProgress[] {
  const last = stages.at(-1);
  const earlier = last?.stage === stage ? stages.slice(0, -1) : stages;
  return [...earlier, { stage, done, total }];
}

/** The run's text in any state. */
export function textOf(run: Run): string {
  switch (run.phase) {
    case "queued":
      return "";
    case "running":
    case "failed":
      return run.text;
    case "done":
      return run.result.answer;
    default:
      return run satisfies never;
  }
}

/** Rows of an attempt, once compaction has happened. */
export function reportOf(run: Run): RowsReport | undefined {
  if (run.phase === "running") return run.report;
  return run.phase === "done" ? run.result : undefined;
}

/**
 * The run after its outcome. A failed run keeps the text generated so far, and a complete answer
 * stays if its reference fails.
 */
export function endedRun(
  before: Run,
  { result, failure }: LaneOutcome,
  measured: Omit<Extract<Run, { phase: "done" }>, "phase" | "result">,
): Run {
  if (result) return { phase: "done", result, ...measured };
  if (before.phase === "done") return { ...before, ...measured };
  return { phase: "failed", text: before.phase === "running" ? before.text : "", failure };
}
