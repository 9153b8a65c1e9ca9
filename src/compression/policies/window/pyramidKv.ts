import { waterfill } from "../../blocks/budget";
import { kvpressPyramid, pyramidShares } from "../../blocks/pyramidBudget";
import { choice, formerly, real } from "../../options";
import { scorePolicy } from "../../scorePolicy";
import type { PlanInput } from "../../types";
import {
  OBSERVATION_OPTIONS,
  type ObservationValues,
  observationTap,
  observedScores,
  windowNotices,
  windowPlaces,
} from "./observation";

/**
 * PyramidKV: SnapKV's ranking, with fewer rows in deeper layers.
 *
 * Score: SnapKV's, [G, N - window] per layer. Budget: a line from the first layer to 1/β of the mean in the
 * last, window included.
 *
 * https://arxiv.org/abs/2406.02069, release https://github.com/Zefan-Cai/KVCache-Factory: it rounds
 * the difference between layers down, so its total is not exact; here the same line is rounded to the
 * exact total. `kvpress` is that library's count (https://github.com/NVIDIA/kvpress): it includes
 * the window, and a pyramid that is too steep falls back to equal layers.
 */
export const pyramidKv = scorePolicy({
  id: "pyramidkv",
  label: "PyramidKV",
  summary: "SnapKV's ranking with fewer rows in deeper layers.",
  paper: {
    title: "PyramidKV: Dynamic KV Cache Compression based on Pyramidal Information Funneling",
    venue: "COLM 2025",
    url: "https://arxiv.org/abs/2406.02069",
  },
  release: "https://github.com/Zefan-Cai/KVCache-Factory",
  options: {
    ...OBSERVATION_OPTIONS,
    beta: real("Steepness", "The last layer gets 1/β of the mean", [1, 100], 20),
    variant: formerly(
      "reading",
      choice("Variant", "kvpress: that library's rounding and fallback", ["exact", "kvpress"]),
    ),
  },
  deviation: ({ variant }) =>
    variant === "kvpress" ? "Rounds each layer separately, as kvpress does." : undefined,
  deviantRows: kvpressRows,
  taps: (options) => observationTap(options),
  notices: windowNotices,
  budget: (input, options) => exactRows(input, windowPlaces(input, options), options.beta),
  score: observedScores,
});

function exactRows({ budget, layers, candidates }: PlanInput, window: number, beta: number) {
  const base = Math.min(window, Math.floor(budget / layers) - 1);
  const cap = candidates.length - base;
  const total = budget - base * layers;
  const shares = pyramidShares(layers, total / layers, beta, cap);
  return waterfill(shares, total, { floor: 1, cap }).map((rows) => rows + base);
}

function kvpressRows(input: PlanInput, { window, beta }: ObservationValues & { beta: number }) {
  const { candidates, layers, retention } = input;
  const shape = { rows: candidates.length, layers, retention, window, beta };
  return kvpressPyramid(shape).map((rows) => Math.max(1, Math.min(candidates.length, rows)));
}
