import { NO_ID } from "@/gpu/kernels/sampling/sample";
import { ModelError } from "../modelError";
import type { Decoder } from "./decoder";
import { DecodeSteps } from "./decodeSteps";
import { GroupSize } from "./groupSize";
import type { StepArgs } from "./stepProgram";
import { type SampledToken, SUBMITS_IN_FLIGHT } from "./tokenReadback";

/**
 * Makes room in the cache for the rows of up to `wanted` steps. Called while no step runs; it may move rows,
 * unless the hook is final.
 * @returns for how many there is room; 0 ends the answer
 */
export type MakeRoom = (wanted: number) => number | Promise<number>;

export interface GenerateArgs extends StepArgs {
  readonly stopIds: readonly number[];
  /** Default: there is room for all. */
  readonly makeRoom?: MakeRoom | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface GeneratedToken extends SampledToken {
  /** Milliseconds since the previous token, or since the start; tokens of a group share its time. */
  readonly ms: number;
}

export type Finish = "stop" | "length" | "cancelled" | "context" | "memory";

/**
 * Generates tokens from the logits that a prefill left. A step samples a token on the GPU, then
 * runs it through the model, so every yielded token has its row in the cache, including the stop
 * token. Steps are submitted in groups, ahead of their readback. Rows after the last yielded token are
 * removed, also if the loop is left early or a step fails.
 */
export async function* generate(
  decoder: Decoder,
  args: GenerateArgs,
): AsyncGenerator<GeneratedToken, Finish> {
  const { cache, maxNewTokens, stopIds, makeRoom, hook, signal } = args;
  const steps = decoder.gpu.memory.allOrNothing(() => new DecodeSteps(decoder, args));
  if (makeRoom) steps.allow(0);
  const inFlight: Promise<readonly SampledToken[]>[] = [];
  const ahead = hook?.isFinal ? 1 : SUBMITS_IN_FLIGHT;
  const size = new GroupSize(hook?.isFinal === true);
  let yielded = 0;
  let last = performance.now();
  try {
    while (yielded < maxNewTokens) {
      while (inFlight.length < ahead && steps.allowed > 0 && !signal?.aborted) {
        const group = steps.submit(Math.min(size.next(yielded), steps.allowed));
        group.catch(() => undefined); // a failure is handled when the group is awaited
        inFlight.push(group);
      }
      const oldest = inFlight[0];
      if (!oldest) {
        if (signal?.aborted) return "cancelled";
        if (steps.left <= 0 || !makeRoom) return "context";
        const room = await makeRoom(steps.left);
        if (room === 0) return "memory";
        steps.allow(room);
        last = performance.now();
        continue;
      }
      const tokens = await oldest;
      inFlight.shift();
      const now = performance.now();
      const ms = (now - last) / tokens.length;
      last = now;
      size.measured(ms);
      for (const token of tokens) {
        const { id } = token;
        if (id === NO_ID) throw new ModelError("badModel", "The model computed NaN logits.");
        yielded++;
        yield { ...token, ms };
        if (stopIds.includes(id)) return "stop";
        if (signal?.aborted) return "cancelled";
      }
    }
    return "length";
  } finally {
    await Promise.allSettled(inFlight);
    if (steps.submitted > yielded) cache.truncate(steps.submitted - yielded);
    steps.destroy();
  }
}
