import type { Recorder } from "@/gpu/recorder";
import type { StagedWrites } from "@/gpu/stagedWrites";

/**
 * Inputs and log-sum-exps of one layer's attention, for taps. The next layer reuses the buffers.
 */
export interface AttentionRecord {
  readonly layer: number;
  /** First of these rows, counted from the first row of the prefill. */
  readonly firstRow: number;
  readonly rows: number;
  /** f32 [rows, heads, headDim], rotated, not scaled. */
  readonly q: GPUBuffer;
  /** f32 [rows, heads]: natural log of the sum of exponentials of the scaled scores. */
  readonly lse: GPUBuffer;
}

/** Records additional dispatches after each layer's attention. */
export interface AttentionHook {
  afterAttention(recorder: Recorder, record: AttentionRecord): void;
}

/** Writes to the start of buffers that the following step reads; at most a few words. */
export type StepWrites = Pick<StagedWrites, "write">;

/** Work that a compression policy adds to each decoding step. */
export interface DecodeHook extends Partial<AttentionHook> {
  /** Before each step; what it passes to `writes` has its place between the steps of a group. */
  beforeStep?(writes: StepWrites): void;
  /** Called after a step is submitted; counts its row. Default: `cache.append(1)`. */
  afterStep?(): void;
  /**
   * It changes the cache, and its steps cannot be undone: no step starts before the token before it is known.
   */
  readonly isFinal?: boolean;
}

/**
 * Combines several hooks into one, in order.
 * @throws RangeError if more than one of them counts the step's row
 */
export function joinHooks(hooks: readonly DecodeHook[]): DecodeHook | undefined {
  const [first, ...others] = hooks;
  if (!first || others.length === 0) return first;
  const counting = hooks.filter((hook) => hook.afterStep);
  if (counting.length > 1) throw new RangeError("decode: two hooks count the same row");
  return {
    isFinal: hooks.some(({ isFinal }) => isFinal),
    beforeStep(writes) {
      for (const hook of hooks) hook.beforeStep?.(writes);
    },
    afterAttention(recorder, record) {
      for (const hook of hooks) hook.afterAttention?.(recorder, record);
    },
    ...(counting.length > 0 && { afterStep: () => counting[0]?.afterStep?.() }),
  };
}
