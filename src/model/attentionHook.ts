import type { Recorder } from "@/gpu/gpu";
import type { Queries } from "@/gpu/kernels/tapAttention";

/** The queries of one layer, just after their attention was recorded. */
export interface AttentionRows extends Queries {
  readonly layer: number;
  /** Place of the first row among this turn's new rows. */
  readonly firstRow: number;
  readonly rows: number;
}

/** What the decoder calls after each layer's attention; the hook adds dispatches of its own. */
export interface AttentionHook {
  afterAttention(recorder: Recorder, attention: AttentionRows): void;
}
