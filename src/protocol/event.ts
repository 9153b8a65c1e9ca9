import type { ImageLayout, LayerReport, TurnResult } from "./result";

/** The reading before anything is allocated, and after everything is freed. */
export const NO_MEMORY: MemoryReading = {
  weights: 0,
  kv: 0,
  reference: 0,
  activations: 0,
  vision: 0,
};

/** What an engine tells while it works. Those of a request come before its result, in order. */
export type EngineEvent =
  | {
      /** Progress of a load, by file while it downloads. */
      readonly type: "load";
      readonly file: string;
      readonly loadedBytes: number;
      readonly totalBytes: number;
      readonly phase: "download" | "compile" | "selfTest";
      /** GPU kernels of this load so far; more may follow. */
      readonly kernels?: { readonly compiled: number; readonly asked: number };
    }
  | {
      /** Progress of one stage, in what it counts: images, rows, tokens, or itself. */
      readonly type: "stage";
      readonly stage: Stage;
      readonly done: number;
      readonly total: number;
      /** Index of the lane in a comparison; absent if the stage is shared. */
      readonly lane?: number;
    }
  | {
      /** A token of the answer, or of a lane's. */
      readonly type: "token";
      /** Index in the answer, from 0. */
      readonly index: number;
      readonly id: number;
      /** Text that it adds to the answer; empty while a character's bytes are incomplete. */
      readonly text: string;
      /** Milliseconds since the previous token; for the first, since the question. */
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

/** A part of the way from a question to its answer. */
export type Stage = "vision" | "prefill" | "score" | "plan" | "compact" | "decode" | "reference";

/** Bytes of live GPU buffers, by pool. */
export interface MemoryReading {
  readonly weights: number;
  readonly kv: number;
  /** The full cache of a reference answer; part of no `kvBytes`. */
  readonly reference: number;
  readonly activations: number;
  readonly vision: number;
}
