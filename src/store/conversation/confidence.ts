import type { ModelCard } from "@/protocol/model";
import type { TurnResult } from "@/protocol/result";
import { answerConfidence } from "@/text/confidence";

/** How sure a model is of an answer. */
interface Confidence {
  /** In [0, 1]. */
  readonly probability: number;
  /** Most right answers have at least this probability. In [0, 1]. */
  readonly threshold: number;
  readonly isUnsure: boolean;
}

/** Undefined if the model states no threshold, or the record has no probabilities. */
export function confidenceOf(
  { logProbabilities }: Pick<TurnResult, "logProbabilities">,
  card: ModelCard | undefined,
): Confidence | undefined {
  const { measure, threshold } = card?.confidence ?? {};
  if (!measure || threshold === undefined || !logProbabilities?.length) return undefined;
  const probability = answerConfidence(logProbabilities, measure);
  return { probability, threshold, isUnsure: probability < threshold };
}
