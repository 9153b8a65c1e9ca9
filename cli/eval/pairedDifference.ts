/** Paired comparison of two lanes over the same questions. */
export interface PairedDifference {
  /** Questions that only this lane answered correctly, and that only the other did. */
  readonly gained: number;
  readonly lost: number;
  /** Difference of the two shares of right answers, in [-1, 1], and its 95 % interval. */
  readonly difference: number;
  readonly low: number;
  readonly high: number;
}

/** The normal distribution's 97.5 % point. */
const Z = 1.959963984540054;

/**
 * The score interval for a difference of paired proportions: Tango, "Equivalence test and
 * confidence interval for the difference in proportions for the paired-sample design", Statistics
 * in Medicine 17 (1998). Unlike a bootstrap interval it is not empty if the lanes never differ:
 * z²/(n + z²) to each side.
 */
export function pairedDifference(
  gained: number,
  lost: number,
  questions: number,
): PairedDifference {
  if (!(questions > 0 && gained >= 0 && lost >= 0 && gained + lost <= questions)) {
    throw new RangeError(`${gained} gained and ${lost} lost of ${questions} questions`);
  }
  const score = (delta: number) => scoreOf(delta, gained, lost, questions);
  return {
    gained,
    lost,
    difference: (gained - lost) / questions,
    low: whereFalls(score, Z),
    high: whereFalls(score, -Z),
  };
}

/** Tango's statistic: the observed difference minus `delta`, in standard errors under `delta`. */
function scoreOf(delta: number, gained: number, lost: number, questions: number): number {
  const b = (2 * questions - gained + lost) * delta - gained - lost;
  const c = -lost * delta * (1 - delta);
  const root = Math.sqrt(Math.max(0, b * b - 8 * questions * c));
  // Maximum-likelihood share of questions that only the other lane answers correctly, given
  // `delta`.
  const lostShare = (root - b) / (4 * questions);
  const variance = questions * (2 * lostShare + delta * (1 - delta));
  const distance = gained - lost - questions * delta;
  return distance === 0 ? 0 : distance / Math.sqrt(Math.max(0, variance));
}

/** The point where a function that decreases on [-1, 1] reaches `value`, by bisection. */
function whereFalls(of: (at: number) => number, value: number): number {
  let [low, high] = [-1, 1];
  for (let halving = 0; halving < 60; halving++) {
    const middle = (low + high) / 2;
    if (of(middle) > value) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
