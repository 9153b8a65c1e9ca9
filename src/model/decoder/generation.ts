import { NO_ID, type SampleSettings } from "@/gpu/kernels/sampling/sample";
import type { Recorder } from "@/gpu/recorder";
import type { KvCache } from "../kv/cache";
import { ModelError } from "../modelError";
import type { AttentionHook, Decoder } from "./decoder";
import { DecodeSteps, STEPS_IN_FLIGHT } from "./decodeSteps";

/** Work that a compression policy adds to each decoded token. */
export interface DecodeHook extends Partial<AttentionHook> {
  /** Records dispatches behind the last layer; recorded again whenever the cache's buffers change. */
  afterLayers?(recorder: Recorder): void;
  /** Before each step: may change the cache, write buffers, make room. */
  beforeStep?(): void;
  /** After a step was submitted: counts its row. Default: `cache.append(1)`. */
  afterStep?(): void;
  /** A step cannot be taken back: then no step starts before the token before it is known. */
  readonly isFinal?: boolean;
}

/** Several hooks as one, in their order; at most one of them may count the step's row. */
export function joinHooks(hooks: readonly DecodeHook[]): DecodeHook | undefined {
  const [first, ...others] = hooks;
  if (!first || others.length === 0) return first;
  const counting = hooks.filter((hook) => hook.afterStep);
  if (counting.length > 1) throw new RangeError("decode: two hooks count the same row");
  return {
    isFinal: hooks.some(({ isFinal }) => isFinal),
    beforeStep() {
      for (const hook of hooks) hook.beforeStep?.();
    },
    afterAttention(recorder, record) {
      for (const hook of hooks) hook.afterAttention?.(recorder, record);
    },
    afterLayers(recorder) {
      for (const hook of hooks) hook.afterLayers?.(recorder);
    },
    ...(counting.length > 0 && { afterStep: () => counting[0]?.afterStep?.() }),
  };
}

export interface GenerateArgs {
  readonly cache: KvCache;
  readonly sampling: SampleSettings;
  readonly maxNewTokens: number;
  readonly stopIds: readonly number[];
  readonly hook?: DecodeHook | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface GeneratedToken {
  readonly id: number;
  /** Milliseconds since the token before it, or since the start. */
  readonly ms: number;
}

export type Finish = "stop" | "length" | "cancelled" | "context";

/**
 * Generates tokens from the logits that a prefill left. A step samples a token on the GPU, then runs
 * it through the model, so every token that is yielded has its row in the cache, the stop token too.
 * Steps are submitted ahead of their readback; rows behind the last yielded token are taken back,
 * also where the loop is left early or a step fails.
 */
export async function* generate(
  decoder: Decoder,
  args: GenerateArgs,
): AsyncGenerator<GeneratedToken, Finish> {
  const { cache, maxNewTokens, stopIds, hook, signal } = args;
  const steps = new DecodeSteps(decoder, args);
  const inFlight: Promise<number>[] = [];
  const ahead = hook?.isFinal ? 1 : STEPS_IN_FLIGHT;
  let yielded = 0;
  let last = performance.now();
  try {
    for (let index = 0; index < maxNewTokens; index++) {
      while (inFlight.length < ahead && steps.submitted < maxNewTokens && hasRoom(decoder, cache)) {
        if (signal?.aborted) break;
        const step = steps.submit();
        step.catch(() => undefined); // a failure is met when its turn comes
        inFlight.push(step);
      }
      const oldest = inFlight[0];
      if (!oldest) return signal?.aborted ? "cancelled" : "context";
      const id = await oldest;
      inFlight.shift();
      if (id === NO_ID) throw new ModelError("badModel", "The model computed no usable numbers.");
      yielded++;
      const now = performance.now();
      yield { id, ms: now - last };
      last = now;
      if (stopIds.includes(id)) return "stop";
      if (signal?.aborted) return "cancelled";
    }
    return "length";
  } finally {
    await Promise.allSettled(inFlight);
    if (steps.submitted > yielded) cache.truncate(steps.submitted - yielded);
    steps.destroy();
  }
}

function hasRoom(decoder: Decoder, cache: KvCache): boolean {
  return cache.position < decoder.config.contextLength;
}
