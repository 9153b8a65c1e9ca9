import { generateTogether } from "@/model/decoder/batchGeneration";
import { canBatch } from "@/model/decoder/batchProgram";
import { MOST_SEQUENCES } from "@/model/decoder/batchSteps";
import type { Finish } from "@/model/decoder/generation";
import type { EngineFailure } from "@/protocol/failure";
import type { LaneOutcome } from "@/protocol/result";
import { asEngineError, isAbort } from "../failures";
import type { LoadedModel } from "../load/loadedModel";
import type { SavedLogits } from "../report/savedLogits";
import { GrowingAnswer } from "../stages/growingAnswer";
import { closeLane, type Lane, type PlannedLane } from "./lane";

/** Lanes from which decoding together is faster (docs/performance.md). */
const FEWEST = 4;

/**
 * How many lanes decode together, in order; all ones: one after the other. Lanes need the shared prefill, no eviction while
 * decoding, and a pool without a ceiling, and the model heads that a batch can take.
 * @param wanted default: where it is faster
 */
export function groupLanes(
  { decoder, gpu }: Pick<LoadedModel, "decoder" | "gpu">,
  lanes: readonly Pick<PlannedLane, "job" | "rule" | "input">[],
  wanted: boolean = lanes.length >= FEWEST,
): readonly number[] {
  const isFree = lanes.every(
    ({ job, rule, input }) => !rule && !input && job.turn.settings.capMb === undefined,
  );
  const canDo = isFree && canBatch(decoder) && gpu.memory.free === Number.POSITIVE_INFINITY;
  if (!wanted || !canDo) return lanes.map(() => 1);
  const groups = Math.ceil(lanes.length / MOST_SEQUENCES);
  return Array.from({ length: groups }, (_, group) => {
    const [from, to] = [group, group + 1].map((g) => Math.round((g * lanes.length) / groups));
    return (to as number) - (from as number);
  });
}

/**
 * Decodes several lanes over one read of the weights. A failure while they decode is that of all of them; one of the end of
 * an answer is that of its lane.
 */
export async function decodeTogether(
  lanes: readonly Lane[],
  logits: SavedLogits,
): Promise<readonly LaneOutcome[]> {
  const [{ job }] = lanes as [Lane];
  const answers: GrowingAnswer[] = [];
  let finishes: readonly Finish[] = [];
  let failure: EngineFailure | undefined;
  try {
    for (const { job, prefilled } of lanes) {
      job.progress.resume();
      job.progress.notice({ code: "decodedTogether", lanes: lanes.length });
      const { maxNewTokens } = job.turn.request.sampling;
      answers.push(await GrowingAnswer.begin(job, { prefilled, maxNewTokens }));
    }
    const batch = answers.map((answer) => ({
      ...answer.args,
      logits: logits.buffer,
      arrive: answer.arrive.bind(answer),
    }));
    finishes = await generateTogether(job.model.decoder, batch, job.signal);
  } catch (error) {
    if (isAbort(error)) finishes = lanes.map(() => "cancelled");
    else failure = asEngineError(error).failure;
  }
  const ends = await Promise.allSettled(
    answers.map((answer, index) => answer.end(finishes[index])),
  );
  return lanes.map((lane, index) => {
    const end = ends[index];
    if (failure) return { failure };
    if (end?.status === "rejected") return { failure: asEngineError(end.reason).failure };
    return closeLane(lane);
  });
}
