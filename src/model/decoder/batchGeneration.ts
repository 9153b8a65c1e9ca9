import { NO_ID } from "@/gpu/kernels/sampling/sample";
import { ModelError } from "../modelError";
import { BatchSteps, type Sequence } from "./batchSteps";
import type { Decoder } from "./decoder";
import type { Finish, GenerateArgs, GeneratedToken } from "./generation";
import { type SampledToken, SUBMITS_IN_FLIGHT } from "./tokenReadback";

/** One of several answers that are generated together. */
interface GeneratedSequence extends Omit<GenerateArgs, "signal">, Sequence {
  /** Called with each of its tokens; their `ms` is the time of a step of all of them. */
  arrive(token: GeneratedToken): void;
}

interface Step {
  readonly sequences: readonly GeneratedSequence[];
  readonly tokens: Promise<readonly SampledToken[]>;
}

/**
 * `generate` for at most `MOST_SEQUENCES` answers at once: every step reads the weights once for all of them. Rows after
 * an answer's last token are removed, also if a step fails.
 * @returns how each answer ended
 */
export async function generateTogether(
  decoder: Decoder,
  sequences: readonly GeneratedSequence[],
  signal?: AbortSignal,
): Promise<readonly Finish[]> {
  const create = () => new BatchSteps<GeneratedSequence>(decoder, sequences);
  const batch = decoder.gpu.memory.allOrNothing(create);
  const counts = new Map(sequences.map((sequence) => [sequence, 0]));
  const finishes = new Map<GeneratedSequence, Finish>();
  const flying: Step[] = [];
  const ahead = sequences.some(({ hook }) => hook?.isFinal) ? 1 : SUBMITS_IN_FLIGHT;
  let last = performance.now();
  const end = (sequence: GeneratedSequence, finish: Finish) => {
    finishes.set(sequence, finish);
    batch.drop(sequence);
  };
  const submit = () => {
    const step = { sequences: batch.sequences, tokens: batch.submit() };
    step.tokens.catch(() => undefined); // a failure is handled when the step is awaited
    flying.push(step);
  };
  const hasRoom = () => batch.sequences.every((sequence) => batch.left(sequence) > 0);
  try {
    while (batch.sequences.length > 0) {
      while (flying.length < ahead && !signal?.aborted && hasRoom()) submit();
      const step = flying.shift();
      if (!step) {
        for (const sequence of batch.sequences) {
          if (signal?.aborted) end(sequence, "cancelled");
          else if (batch.left(sequence) <= 0) end(sequence, "context");
        }
        continue;
      }
      const tokens = await step.tokens;
      const ms = performance.now() - last;
      last = performance.now();
      for (const [row, sequence] of step.sequences.entries()) {
        if (finishes.has(sequence)) continue; // the step was submitted before its last token was known
        const finish = take(sequence, { ...(tokens[row] as SampledToken), ms }, counts, signal);
        if (finish) end(sequence, finish);
      }
    }
    return sequences.map((sequence) => finishes.get(sequence) as Finish);
  } finally {
    await Promise.allSettled(flying.map(({ tokens }) => tokens));
    for (const sequence of sequences) {
      const behind = batch.submitted(sequence) - (counts.get(sequence) as number);
      if (behind > 0) sequence.cache.truncate(behind);
    }
    batch.destroy();
  }
}

/** Hands over a token. @returns how the answer ends with it, if it does */
function take(
  sequence: GeneratedSequence,
  token: GeneratedToken,
  counts: Map<GeneratedSequence, number>,
  signal: AbortSignal | undefined,
): Finish | undefined {
  if (token.id === NO_ID) throw new ModelError("badModel", "The model computed NaN logits.");
  const count = (counts.get(sequence) as number) + 1;
  counts.set(sequence, count);
  sequence.arrive(token);
  if (sequence.stopIds.includes(token.id)) return "stop";
  if (signal?.aborted) return "cancelled";
  return count === sequence.maxNewTokens ? "length" : undefined;
}
