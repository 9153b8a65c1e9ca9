import { evictedShare, roundHalfEven, waterfill } from "../../blocks/budget";
import { dueToRatio } from "../../blocks/decodeRules";
import { layerScores, need } from "../../blocks/score";
import { rowsPerLayer } from "../../blocks/select";
import { choice, formerly, integer } from "../../options";
import { scorePolicy } from "../../scorePolicy";
import type { PlanInput } from "../../types";

/** Ranks every text row before every visual row, as released. */
const TEXT_BONUS = 100;
const RECENT = 1;
const float = Math.fround;

/**
 * TGV-KV: the question's tokens, weighted by the attention that they receive from later tokens,
 * rank the visual rows. Layers with more attention from the question to the image keep more. Text
 * is dropped last.
 *
 * Score of visual rows: Σ_i u_i Ā[i, j] over text rows i, u_i the attention that i receives from text rows,
 * by the rows that see it, [1, N] per layer; of text rows Σ_q Ā[q, j] + 100. Budget: Σ over text rows i and
 * visual rows j of Ā[i, j], relative to the other layers.
 *
 * https://arxiv.org/abs/2606.03075, release https://github.com/Danielement321/TGV-KV. The release
 * rounds each layer's share separately and does not redistribute the surplus of a full layer
 * (`release`); `exact` gives it to the other layers. While decoding, the row that the newest query
 * attends to least is evicted. The sinks and as many newest rows as the question kept are
 * protected.
 */
export const tgvKv = scorePolicy({
  id: "tgvkv",
  label: "TGV-KV",
  summary: "The question's most attended tokens rank the image; text is dropped last.",
  paper: {
    title: "TGV-KV: Text-Grounded KV Eviction for Vision-Language Models",
    venue: "ICML 2026",
    url: "https://arxiv.org/abs/2606.03075",
  },
  release: "https://github.com/Danielement321/TGV-KV",
  options: {
    sinks: integer("Sinks", "Oldest rows that are always kept", [0, 64], 4),
    variant: formerly(
      "reading",
      choice("Layer budgets", "release: each layer rounded separately, surplus not redistributed", [
        "exact",
        "release",
      ]),
    ),
  },
  keepsNewest: RECENT,
  deviation: ({ variant }) =>
    variant === "release" ? "Each layer's share is rounded separately, as released." : undefined,
  deviantRows: (input, { sinks }) => releasedRows(input, sinks),
  taps: () => ({ textImage: true, columnSum: true }),
  budget(input) {
    const cap = input.candidates.length;
    return waterfill(textVisualShares(input), input.budget, { floor: 1, cap });
  },
  score: (input, layer) => [rowScores(input, layer)],
  protect: ({ sinks }) => ({ first: sinks, last: RECENT }),
  decode(input, plan, { sinks, variant }) {
    const rows = input.candidates.length;
    const shares =
      variant === "release"
        ? forgetRatios(input).map((ratio) => float(1 - float(ratio)))
        : rowsPerLayer(input, plan).map((count) => count / rows);
    const suffix = plan.layers.map(({ keep }) =>
      Math.max(RECENT, keep[0]!.filter((row) => row >= input.textStart).length),
    );
    const due = dueToRatio((layer) => shares[layer]!);
    return {
      due(layer, held, seen) {
        if (sinks + suffix[layer]! >= held) return 0;
        const target = variant === "release" ? float(seen * shares[layer]!) : undefined;
        const count = target === undefined ? due(layer, held, seen) : Math.trunc(held - target);
        return Math.max(0, Math.min(1, count));
      },
      victim: {
        kind: "lowest",
        scores: "last",
        perHead: false,
        protectFirst: sinks,
        protectLast: suffix,
      },
    };
  },
});

/** Each layer's share of the question's attention to the image; equal shares without an image. */
export function textVisualShares(input: PlanInput): number[] {
  const { visualShare } = need(input, "textImage");
  const total = visualShare.reduce((a, b) => a + b, 0);
  return Array.from(visualShare, (value) => (total > 0 ? value / total : 1 / visualShare.length));
}

/** Text rows by attention received, above all visual rows; visual rows by the weighted question. */
function rowScores(input: PlanInput, layer: number): Float64Array {
  const { visualScore } = need(input, "textImage");
  const visual = layerScores(input, visualScore, layer);
  const sums = layerScores(input, need(input, "columnSum"), layer);
  return visual.map((score, place) => {
    const row = input.candidates[place]!;
    const isVisual = input.visual.some(({ start, end }) => row >= start && row < end);
    return isVisual ? score : sums[place]! + TEXT_BONUS;
  });
}

/** Share of the prompt that each layer drops; negative if a layer's budget exceeds its rows. */
export function forgetRatios(input: PlanInput): number[] {
  const rows = input.candidates.length;
  const kept = 1 - evictedShare(input.retention);
  return textVisualShares(input).map((share) => (rows - input.layers * rows * kept * share) / rows);
}

/** Candidates that each layer drops, rounded as `numpy` rounds. */
export function forgottenRows(input: PlanInput): number[] {
  const rows = input.candidates.length;
  return forgetRatios(input).map((ratio) => Math.max(0, roundHalfEven(float(ratio) * rows)));
}

function releasedRows(input: PlanInput, sinks: number): number[] {
  const rows = input.candidates.length;
  return forgottenRows(input).map((count) =>
    Math.max(rows - count, Math.min(rows, sinks + RECENT)),
  );
}
