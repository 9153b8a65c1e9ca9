import { choice } from "../../options";
import { scorePolicy } from "../../scorePolicy";
import {
  floorAtMean,
  OBSERVATION_OPTIONS,
  observationTap,
  observedScores,
  votesBeforeWindow,
  windowNotices,
} from "./observation";

/**
 * SnapKV: keeps the rows with most attention from the last queries of the prompt, per head.
 *
 * Score: s_j = pool(mean over window rows q of Ā[q, j]), Ā the mean over a group's heads, [G, N - window] per
 * layer. The window itself is kept.
 *
 * https://arxiv.org/abs/2404.14469, release https://github.com/FasterDecoding/SnapKV: it ranks per
 * query head on repeated keys, which saves no memory under grouped queries; here, as in kvpress,
 * each group of query heads has one ranking. Its class pools with an average over 5 rows, its
 * LongBench runs with a maximum over 7. `defensive` is DefensiveKV's aggregation
 * (https://github.com/FFY0/DefensiveKV, without its value norms): each query's row pooled with its
 * mass preserved, maximum instead of mean, floored.
 */
export const snapKv = scorePolicy({
  id: "snapkv",
  label: "SnapKV",
  summary: "Keeps the rows with most attention from the last queries, per head.",
  paper: {
    title: "SnapKV: LLM Knows What You are Looking for Before Generation",
    venue: "NeurIPS 2024",
    url: "https://arxiv.org/abs/2404.14469",
  },
  release: "https://github.com/FasterDecoding/SnapKV",
  options: {
    ...OBSERVATION_OPTIONS,
    aggregate: choice("Votes", "How the window's queries are aggregated", [
      "mean",
      "max",
      "defensive",
    ]),
  },
  taps: (options) => observationTap(options, options.aggregate),
  notices: windowNotices,
  score: (input, layer, options) =>
    options.aggregate === "defensive"
      ? votesBeforeWindow(input, layer, options).map(floorAtMean)
      : observedScores(input, layer, options),
});
