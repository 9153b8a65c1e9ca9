import { evictedShare, roundHalfEven } from "../../blocks/budget";
import { atMostOne, dueToRatio, fixedPointRule } from "../../blocks/decodeRules";
import { prefixBudget, type ReleasedSearch, releasedPrefixSearch } from "../../blocks/prefixBudget";
import { allLayerScores, layerScores, need } from "../../blocks/score";
import { rowsPerLayer } from "../../blocks/select";
import { choice, freeText, integer } from "../../options";
import { scorePolicy } from "../../scorePolicy";
import type { RowScores } from "../../taps/tap";
import { type PlanInput, PolicyError } from "../../types";

/** Protected newest row. */
const RECENT = 1;

/**
 * PrefixKV: every layer keeps the same share of its attention mass, so layers with spread-out
 * attention keep more rows. While decoding, the row at a fixed place of each layer is evicted.
 *
 * Score: s_j = mean over heads of Σ_q A[q, j], [1, N] per layer. Budget: with p_1 ≥ p_2 ≥ … the sorted shares
 * of a layer's mass, it keeps all k with p_1 + … + p_k ≤ P; P is where the layers' counts reach the budget.
 *
 * https://arxiv.org/abs/2412.03409, release https://github.com/THU-MIG/PrefixKV. `exact` sorts all
 * prefix sums and takes the smallest. `released` bisects the share until the total is within five
 * rows, then rescales and truncates, which keeps too few rows. `config` takes each layer's forget
 * fraction from `npm run calibrate`, as the paper's tables do.
 */
export const prefixKv = scorePolicy({
  id: "prefixkv",
  label: "PrefixKV",
  summary: "Gives every layer the same share of its attention mass.",
  paper: {
    title: "PrefixKV: Adaptive Prefix KV Cache is What Vision Instruction-Following Models Need",
    venue: "NeurIPS 2025",
    url: "https://arxiv.org/abs/2412.03409",
  },
  release: "https://github.com/THU-MIG/PrefixKV",
  options: {
    search: choice("Layer budgets", "released: the authors' bisection; config: forget fractions", [
      "exact",
      "released",
      "config",
    ]),
    forget: freeText(
      "Forget fractions",
      "For search=config: one fraction per layer, separated by commas",
      { pattern: "|[0-9.eE+-]+(,[0-9.eE+-]+)*", example: "0.5,0.25,0.75,0.9" },
    ),
    sinks: integer("Sinks", "Oldest rows that are always kept", [0, 64], 1),
    distance: integer(
      "Eviction place",
      "Above 0: the slot that is evicted while decoding; otherwise counted from the compressed prompt's end",
      [-4096, 4096],
      -25,
    ),
  },
  keepsNewest: RECENT,
  deviation: ({ search }) => DEVIATIONS[search],
  deviantRows: (input, options) =>
    forgetCounts(input, options).map((count) => keptOf(input, options, count)),
  taps: () => ({ columnSum: true }),
  budget(input, { sinks }) {
    const floor = Math.min(sinks + RECENT, Math.floor(input.budget / input.layers));
    return prefixBudget(allLayerScores(input, columnSums(input)), input.budget, floor);
  },
  score: (input, layer) => [layerScores(input, columnSums(input), layer)],
  protect: ({ sinks }) => ({ first: sinks, last: RECENT }),
  decode(input, plan, options) {
    const rows = input.candidates.length;
    const kept = rowsPerLayer(input, plan);
    const forgotten =
      options.search === "exact" ? kept.map((count) => rows - count) : forgetCounts(input, options);
    const shares =
      options.search === "config"
        ? fractions(input, options.forget)
        : forgotten.map((count) => count / rows);
    const due = dueToRatio((layer) => 1 - shares[layer]!);
    const place = (layer: number) =>
      evictionPlace(rows, forgotten[layer]!, kept[layer]!, options.distance);
    if (options.search === "exact") {
      const { sinks } = options;
      return fixedPointRule(atMostOne(due), place, { sinks, shortPrompt: "clamp" });
    }
    // The release uses slices: a place past the end removes nothing.
    return fixedPointRule(
      (layer, held, seen) => (place(layer) < held ? atMostOne(due)(layer, held, seen) : 0),
      place,
      { sinks: 0, shortPrompt: "fail" },
    );
  },
});

function columnSums(input: PlanInput): RowScores {
  return need(input, "columnSum");
}

const DEVIATIONS = {
  exact: undefined,
  released: "Its total is rescaled and truncated layer by layer, as released.",
  config: "Keeps the calibrated fraction of every layer.",
} as const;

type PrefixValues = {
  readonly search: "exact" | "released" | "config";
  readonly forget: string;
  readonly sinks: number;
};

/** The slot to evict while decoding: `distance` from the compressed prompt's end, or its middle. */
export function evictionPlace(rows: number, forget: number, kept: number, distance: number) {
  if (distance > 0) return distance;
  const place = rows - forget + distance;
  return place >= 1 ? place : Math.floor(kept / 2);
}

/** Rows to forget per layer under the searches that do not keep an exact total. */
export function forgetCounts(input: PlanInput, options: PrefixValues): readonly number[] {
  const rows = input.candidates.length;
  if (options.search === "config") {
    return fractions(input, options.forget).map((share) => roundHalfEven(share * rows));
  }
  return searchOf(input, options.sinks).forget;
}

/** The release's search on this prompt. */
export function searchOf(input: PlanInput, sinks: number): ReleasedSearch {
  const scores = allLayerScores(input, columnSums(input));
  const target = input.layers * input.candidates.length * evictedShare(input.retention);
  return releasedPrefixSearch(scores, target, sinks + RECENT);
}

/** Kept rows; the dropped ones are between the sinks and the newest row. */
function keptOf({ candidates }: PlanInput, { sinks }: PrefixValues, forget: number): number {
  const rows = candidates.length;
  return Math.max(rows - Math.max(0, forget), Math.min(rows, sinks + RECENT));
}

function fractions({ layers }: PlanInput, forget: string): number[] {
  const values = forget.split(",").map(Number);
  if (values.length === layers && values.every((value) => value >= 0 && value <= 1)) return values;
  throw new PolicyError(
    `PrefixKV's search config needs one forget fraction from 0 to 1 for each of ${layers} layers.`,
  );
}
