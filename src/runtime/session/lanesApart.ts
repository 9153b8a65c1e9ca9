import type { AskRequest, CompareRequest } from "@/protocol/request";
import type { LaneOutcome, TurnResult } from "@/protocol/result";
import { asEngineError, isAbort } from "../failures";
import { checkLanes } from "../request/request";
import { isCompressing } from "./reference";

/**
 * Whether lanes have no prefill in common: a lane that keeps less of earlier images compresses turn by turn,
 * and ranks their rows itself.
 */
export function areApart({ lanes, turns }: CompareRequest): boolean {
  return turns.length > 1 && lanes.some(({ earlierRetention }) => earlierRetention !== undefined);
}

/**
 * Asks the question once per lane, as if no other lane existed. The reference of the first lane with an answer is
 * that of all: the whole conversation without compression.
 * @param ask answers in one lane
 */
export async function answerApart(
  { lanes, ...question }: CompareRequest,
  ask: (request: AskRequest, lane: number) => Promise<TurnResult>,
): Promise<readonly LaneOutcome[]> {
  const isJudged = checkLanes(lanes).every(isCompressing) && question.reference === true;
  const outcomes: LaneOutcome[] = [];
  for (const [index, settings] of lanes.entries()) {
    const reference = isJudged && outcomes.every(({ failure }) => failure);
    try {
      outcomes.push({ result: await ask({ ...question, settings, reference }, index) });
    } catch (error) {
      if (isAbort(error)) throw error;
      outcomes.push({ failure: asEngineError(error).failure });
    }
  }
  const reference = outcomes.find(({ result }) => result)?.result?.reference;
  if (!reference) return outcomes;
  return outcomes.map(({ result, ...rest }) =>
    result ? { result: { ...result, reference } } : (rest as LaneOutcome),
  );
}
