/** How the probabilities of an answer's tokens become one number. */
export type ConfidenceMeasure = "mean" | "min";

/**
 * How sure a model is of an answer, in [0, 1]: the geometric mean or the least of its tokens'
 * probabilities. 1 for an answer without tokens.
 * @param logProbabilities natural logarithms, one per token
 */
export function answerConfidence(
  logProbabilities: readonly number[],
  measure: ConfidenceMeasure,
): number {
  if (logProbabilities.length === 0) return 1;
  if (measure === "min") return Math.exp(Math.min(...logProbabilities));
  const sum = logProbabilities.reduce((total, value) => total + value, 0);
  return Math.exp(sum / logProbabilities.length);
}
