import { NO_ID } from "@/gpu/kernels/sampling/sample";
import { ModelError } from "../modelError";
import { BatchSteps, type Sequence } from "./batchSteps";
import type { Decoder } from "./decoder";
import type { Finish, GenerateArgs, GeneratedToken } from "./generation";
import { type SampledToken, SUBMITS_IN_FLIGHT } from "./tokenReadback";

/** One of several answers that are generated together. */
interface BatchLane extends Omit<GenerateArgs, "signal">, Sequence {
  /** Called with each of its tokens; their `ms` is the time of a step of all lanes. */
  arrive(token: GeneratedToken): void;
}

interface Step {
  readonly lanes: readonly BatchLane[];
  readonly tokens: Promise<readonly SampledToken[]>;
}

/**
 * `generate` for at most `MOST_SEQUENCES` answers at once: every step reads the weights once for all of them. Rows after
 * an answer's last token are removed, also if a step fails.
 * @returns how each answer ended
 */
export async function generateTogether(
  decoder: Decoder,
  lanes: readonly BatchLane[],
  signal?: AbortSignal,
): Promise<readonly Finish[]> {
  const batch = new BatchSteps<BatchLane>(decoder, lanes);
  const counts = new Map(lanes.map((lane) => [lane, 0]));
  const finishes = new Map<BatchLane, Finish>();
  const flying: Step[] = [];
  const ahead = lanes.some(({ hook }) => hook?.isFinal) ? 1 : SUBMITS_IN_FLIGHT;
  let last = performance.now();
  const end = (lane: BatchLane, finish: Finish) => {
    finishes.set(lane, finish);
    batch.drop(lane);
  };
  const submit = () => {
    const step = { lanes: batch.sequences, tokens: batch.submit() };
    step.tokens.catch(() => undefined); // a failure is handled when the step is awaited
    flying.push(step);
  };
  const hasRoom = () => batch.sequences.every((lane) => batch.left(lane) > 0);
  try {
    while (batch.sequences.length > 0) {
      while (flying.length < ahead && !signal?.aborted && hasRoom()) submit();
      const step = flying.shift();
      if (!step) {
        for (const lane of batch.sequences) {
          if (signal?.aborted) end(lane, "cancelled");
          else if (batch.left(lane) <= 0) end(lane, "context");
        }
        continue;
      }
      const tokens = await step.tokens;
      const ms = performance.now() - last;
      last = performance.now();
      for (const [row, lane] of step.lanes.entries()) {
        if (finishes.has(lane)) continue; // the step was submitted before its last token was known
        const finish = take(lane, { ...(tokens[row] as SampledToken), ms }, counts, signal);
        if (finish) end(lane, finish);
      }
    }
    return lanes.map((lane) => finishes.get(lane) as Finish);
  } finally {
    await Promise.allSettled(flying.map(({ tokens }) => tokens));
    for (const lane of lanes) {
      const behind = batch.submitted(lane) - (counts.get(lane) as number);
      if (behind > 0) lane.cache.truncate(behind);
    }
    batch.destroy();
  }
}

/** Hands over a token. @returns how the answer ends with it, if it does */
function take(
  lane: BatchLane,
  token: GeneratedToken,
  counts: Map<BatchLane, number>,
  signal: AbortSignal | undefined,
): Finish | undefined {
  if (token.id === NO_ID) throw new ModelError("badModel", "The model computed NaN logits.");
  const count = (counts.get(lane) as number) + 1;
  counts.set(lane, count);
  lane.arrive(token);
  if (lane.stopIds.includes(token.id)) return "stop";
  if (signal?.aborted) return "cancelled";
  return count === lane.maxNewTokens ? "length" : undefined;
}
