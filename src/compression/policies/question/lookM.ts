import { uniformBudget } from "../../blocks/budget";
import { headScores, need } from "../../blocks/score";
import { keepTop, layerCounts, planOf } from "../../blocks/select";
import { definePolicy } from "../../definePolicy";
import { choice, formerly, real } from "../../options";
import type { MergePlan, PlanInput } from "../../types";

/**
 * LOOK-M: keeps text before images, then the rows with most attention, per KV head. Every dropped
 * row is merged into the kept row with the most similar key.
 *
 * Score: s_j = Σ_q Ā[q, j], plus a constant for text rows, [G, N] per layer. Merge: a dropped row d joins the
 * kept row p with the highest cos(K_d, K_p); K_p ← mean(K_p, (K_d + K_p) / 2, …), V alike.
 *
 * https://arxiv.org/abs/2406.18139, release https://github.com/SUSTechBruce/LOOK-M (its scripts
 * keep as many recents as heavy hitters). `pivot` averages a dropped row with its keeper before the
 * mean, `average` takes it raw. `effivlm` is EffiVLM-Bench's version
 * (https://github.com/EffiVLM-Bench/EffiVLM-Bench; `recentShare` is 0.1 there): both counts
 * truncated, at least one row of each.
 */
export const lookM = definePolicy({
  id: "lookm",
  label: "LOOK-M",
  summary: "Keeps text first and merges dropped rows into the most similar kept one.",
  paper: {
    title:
      "LOOK-M: Look-Once Optimization in KV Cache for Efficient Multimodal Long-Context Inference",
    venue: "EMNLP Findings 2024",
    url: "https://arxiv.org/abs/2406.18139",
  },
  release: "https://github.com/SUSTechBruce/LOOK-M",
  options: {
    merge: choice("Dropped rows", "How they are merged into kept rows, if at all", [
      "pivot",
      "average",
      "drop",
    ]),
    recentShare: real("Recent share", "Share of the kept rows that are the newest", [0, 1], 0.5),
    variant: formerly(
      "reading",
      choice("Variant", "effivlm: EffiVLM-Bench's counts", ["paper", "effivlm"]),
    ),
  },
  deviation: ({ variant }) =>
    variant === "effivlm"
      ? "Heavy and recent rows are truncated apart, as in EffiVLM-Bench."
      : undefined,
  deviantRows: (input, { recentShare }) =>
    new Array<number>(input.layers).fill(effivlmCounts(input, recentShare).total),
  taps: () => ({ columnSum: true }),
  plan(input, { merge, recentShare, variant }) {
    const tap = need(input, "columnSum");
    const image = isImage(input);
    const { recent, total } = effivlmCounts(input, recentShare);
    const counts =
      variant === "effivlm"
        ? new Array<number>(input.layers).fill(total)
        : layerCounts(input, () => uniformBudget(input.budget, input.layers));
    const keep = counts.map((count, layer) =>
      headScores(input, tap, layer).map((sums) => {
        // No row receives more than `rows`; the release takes 65516 from the image rows' sums instead.
        const scores = sums.map((sum, place) => sum + (image[place] === 1 ? 0 : input.rows + 1));
        const last = variant === "effivlm" ? recent : Math.floor(recentShare * count);
        return keepTop(scores, count, { first: 0, last });
      }),
    );
    const everyRow = input.candidates.length === input.rows;
    const merging: MergePlan = {
      kind: "nearestKey",
      rule: merge === "pivot" ? "pivot" : "mean",
      ...(!everyRow && { among: input.candidates }),
    };
    return planOf(input, keep, () => (merge === "drop" ? undefined : merging));
  },
});

/** Per place: 1 for visual rows, else 0. */
function isImage({ candidates, visual }: PlanInput): Uint8Array {
  return Uint8Array.from(candidates, (row) =>
    visual.some(({ start, end }) => row >= start && row < end) ? 1 : 0,
  );
}

/** EffiVLM-Bench truncates both counts and keeps at least one row of each. */
function effivlmCounts({ candidates, retention }: PlanInput, recentShare: number) {
  const rows = candidates.length;
  const recent = Math.min(rows, Math.max(1, Math.trunc(rows * retention * recentShare)));
  const heavy = Math.max(1, Math.trunc(rows * retention * heavyShare(recentShare)));
  return { recent, total: Math.min(rows, recent + heavy) };
}

/** 1 - share without the subtraction's rounding error: 0.9, not 0.9000…02. */
function heavyShare(recentShare: number): number {
  return Number((1 - recentShare).toFixed(12));
}
