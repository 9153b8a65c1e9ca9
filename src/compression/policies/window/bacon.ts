import { uniformBudget } from "../../blocks/budget";
import { averagePool, deviation, headScores, mean, meanOf, need } from "../../blocks/score";
import { layerCounts, planOf } from "../../blocks/select";
import { definePolicy } from "../../definePolicy";
import { integer, oddInteger, real } from "../../options";
import type { PlanInput } from "../../types";
import {
  keepObserved,
  OBSERVATION_OPTIONS,
  type ObservationValues,
  observationTap,
  observedScores,
  pool,
  windowNotices,
  windowPlaces,
} from "./observation";

/** Avoids division by zero, as released. */
const TINY = 1e-8;

/**
 * BACON on SnapKV's scores: adds the last query's attention beyond the window's mean.
 *
 * Score: s_j + λ e_j, [G, N - window] per layer. s: SnapKV's; x_j = max(0, pool(Ā[N - 1, j]) - s_j);
 * e = x + average over `local` rows of x + mean of x over `trace` earlier layers.
 *
 * https://arxiv.org/abs/2606.14782, release https://github.com/ryu1ion/official_BACON (mode `elt`).
 * The evidence E is the last row's excess over the vote, plus its average over neighbouring rows
 * and its mean over the four previous layers. It is weighted so that its spread among the
 * highest-scoring rows is `strength` times the votes' spread; the weight is smaller if there is
 * little excess.
 */
export const bacon = definePolicy({
  id: "bacon",
  label: "BACON",
  summary: "SnapKV's scores plus the last query's own attention.",
  paper: {
    title: "Last But Not Least: Boundary Attention CalibratiON for Multimodal KV Cache Compression",
    venue: "EMNLP 2026",
    url: "https://arxiv.org/abs/2606.14782",
  },
  release: "https://github.com/ryu1ion/official_BACON",
  options: {
    ...OBSERVATION_OPTIONS,
    strength: real("Strength", "Spread of the evidence relative to the scores'", [0, 4], 0.5),
    local: oddInteger(
      "Neighbourhood",
      "Neighbouring rows whose evidence is averaged; odd",
      [1, 63],
      5,
    ),
    trace: integer("Trace", "Earlier layers whose evidence counts", [0, 32], 4),
    best: real("Best rows", "Spreads are taken over this many times the rows to keep", [0, 16], 2),
  },
  taps: (options) => ({ ...observationTap(options), lastRow: true }),
  notices: windowNotices,
  plan(input, options) {
    const window = windowPlaces(input, options);
    const counts = layerCounts(input, () => uniformBudget(input.budget, input.layers));
    const scored = baconScores(input, options, (layer) => Math.max(0, counts[layer]! - window));
    return planOf(
      input,
      scored.map((heads, layer) =>
        heads.map(({ scores }) => keepObserved(scores, window, counts[layer]!)),
      ),
    );
  },
});

interface BaconValues extends ObservationValues {
  readonly strength: number;
  readonly local: number;
  readonly trace: number;
  readonly best: number;
}

interface BaconScore {
  readonly scores: Float64Array;
  /** Weight of the evidence. */
  readonly lambda: number;
}

/** [layer][head], for `rowsOf` rows to keep besides the window. */
export function baconScores(
  input: PlanInput,
  options: BaconValues,
  rowsOf: (layer: number) => number,
): BaconScore[][] {
  const lastRow = need(input, "lastRow");
  const before = input.candidates.length - windowPlaces(input, options);
  const trace: Float64Array[][] = [];
  return Array.from({ length: input.layers }, (_, layer) => {
    const rows = headScores(input, lastRow, layer);
    const votes = observedScores(input, layer, options);
    const excess = votes.map((vote, head) => {
      const seen = pool(rows[head]!.subarray(0, before), options);
      return vote.map((score, place) => Math.max(0, seen[place]! - score));
    });
    const scored = votes.map((vote, head) => {
      const local = averagePool(excess[head]!, options.local);
      const past = (options.trace > 0 ? trace.slice(-options.trace) : []).map(
        (heads) => heads[head]!,
      );
      const traced = past.length > 0 ? meanOf(past) : new Float64Array(before);
      const evidence = excess[head]!.map((e, place) => e + local[place]! + traced[place]!);
      const lambda = weight(
        vote,
        evidence,
        Math.trunc(options.best * rowsOf(layer)),
        options.strength,
      );
      return { scores: vote.map((score, place) => score + lambda * evidence[place]!), lambda };
    });
    trace.push(excess);
    return scored;
  });
}

/** λ: matches the spreads of the `count` largest values of each, damped if evidence is scarce. */
function weight(votes: Float64Array, evidence: Float64Array, count: number, strength: number) {
  const top = (values: Float64Array) =>
    values.toSorted().subarray(Math.max(0, values.length - Math.max(1, count)));
  const bestVotes = top(votes);
  const bestEvidence = top(evidence);
  const presence = Math.min(1, Math.max(0, mean(bestEvidence) / (mean(bestVotes) + TINY)));
  return ((strength * deviation(bestVotes, 0)) / (deviation(bestEvidence, 0) + TINY)) * presence;
}
