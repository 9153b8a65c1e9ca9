import { NO_ID } from "@/gpu/kernels/sampling/sample";
import type { KvCache } from "../kv/cache";
import { ModelError } from "../modelError";
import type { Decoder } from "./decoder";
import { DecodeSteps, type SampledToken, STEPS_IN_FLIGHT, type StepArgs } from "./decodeSteps";

export interface GenerateArgs extends StepArgs {
  readonly stopIds: readonly number[];
  readonly signal?: AbortSignal | undefined;
}

export interface GeneratedToken extends SampledToken {
  /** Milliseconds since the previous token, or since the start. */
  readonly ms: number;
}

export type Finish = "stop" | "length" | "cancelled" | "context";

/**
 * Generates tokens from the logits that a prefill left. A step samples a token on the GPU, then
 * runs it through the model, so every yielded token has its row in the cache, including the stop
 * token. Steps are submitted ahead of their readback. Rows after the last yielded token are
 * removed, also if the loop is left early or a step fails.
 */
export async function* generate(
  decoder: Decoder,
  args: GenerateArgs,
): AsyncGenerator<GeneratedToken, Finish> {
  const { cache, maxNewTokens, stopIds, hook, signal } = args;
  const steps = new DecodeSteps(decoder, args);
  const inFlight: Promise<SampledToken>[] = [];
  const ahead = hook?.isFinal ? 1 : STEPS_IN_FLIGHT;
  let yielded = 0;
  let last = performance.now();
  try {
    for (let index = 0; index < maxNewTokens; index++) {
      while (inFlight.length < ahead && steps.submitted < maxNewTokens && hasRoom(decoder, cache)) {
        if (signal?.aborted) break;
        const step = steps.submit();
        step.catch(() => undefined); // a failure is handled when the step is awaited
        inFlight.push(step);
      }
      const oldest = inFlight[0];
      if (!oldest) return signal?.aborted ? "cancelled" : "context";
      const token = await oldest;
      const { id } = token;
      inFlight.shift();
      if (id === NO_ID) throw new ModelError("badModel", "The model computed NaN logits.");
      yielded++;
      const now = performance.now();
      yield { ...token, ms: now - last };
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
