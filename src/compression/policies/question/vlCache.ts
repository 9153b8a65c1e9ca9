import { uniformBudget, waterfill } from "../../blocks/budget";
import { headScores, meanOf, need } from "../../blocks/score";
import { choice, formerly, real } from "../../options";
import { scorePolicy } from "../../scorePolicy";
import type { PlanInput } from "../../types";

/** A layer's least share of the rows that compete, before rounding. */
const LEAST_SHARE = 0.01;
const float = Math.fround;

/**
 * VL-Cache: the question's attention ranks all rows, and layers with dense attention keep more.
 *
 * Score: s_j = Σ over text rows q of Ā[q, j], [1, N] per layer ([G, N] with `perKvHead`). Budget: 1 - γ_l
 * relative to the other layers, γ_l the share of causal entries below `threshold` × their row's maximum;
 * at least 1 % of the rows, or an even share of a smaller budget.
 *
 * https://arxiv.org/abs/2410.23317, no release by its authors. A layer's density is the share of
 * the question's attention entries above 1 % of their row's maximum. `effivlm` is EffiVLM-Bench's
 * version (https://github.com/EffiVLM-Bench/EffiVLM-Bench): shares are clipped and not rescaled,
 * and a recent window of a tenth is added; `effivlmFixed` gives every layer the same window and
 * scales the rest by 0.9.
 */
export const vlCache = scorePolicy({
  id: "vlcache",
  label: "VL-Cache",
  summary: "The question ranks the rows; layers with dense attention keep more.",
  paper: {
    title:
      "VL-Cache: Sparsity and Modality-Aware KV Cache Compression for Vision-Language Model Inference Acceleration",
    venue: "ICLR 2025",
    url: "https://arxiv.org/abs/2410.23317",
  },
  options: {
    threshold: real(
      "Threshold",
      "Share of a row's maximum below which attention counts as 0",
      [0, 1],
      0.01,
    ),
    recentShare: real("Recent share", "Share of a layer's rows that are the newest", [0, 1], 0.1),
    heads: choice("Rows", "perKvHead: every KV head has its own ranking", ["shared", "perKvHead"]),
    variant: formerly(
      "reading",
      choice("Variant", "EffiVLM-Bench's budgets, with windows per layer or fixed", [
        "exact",
        "effivlm",
        "effivlmFixed",
      ]),
    ),
  },
  deviation: ({ variant }) =>
    variant === "exact" ? undefined : "Clipped shares plus a window, as in EffiVLM-Bench.",
  deviantRows: (input, options) => effivlmRows(input, options).map(({ total }) => total),
  taps: ({ threshold }) => ({ postVision: { threshold } }),
  budget: exactRows,
  score(input, layer, { heads }) {
    const perHead = headScores(input, need(input, "postVision").sum, layer);
    return heads === "shared" ? [meanOf(perHead)] : perHead;
  },
  protect({ variant, recentShare }, { input, index, count }) {
    if (variant === "exact") return { first: 0, last: Math.floor(recentShare * count) };
    const released = effivlmRows(input, { variant, recentShare });
    return { first: 0, last: released[index]!.window };
  },
});

type Variant = "exact" | "effivlm" | "effivlmFixed";

function exactRows(input: PlanInput): number[] {
  const { sparsity } = need(input, "postVision");
  const dense = Array.from(sparsity, (value) => 1 - value);
  const { budget, layers, candidates } = input;
  if (candidates.length < 2) return uniformBudget(budget, layers);
  const least = Math.trunc(Math.min(LEAST_SHARE * candidates.length, budget / layers));
  return waterfill(dense, budget, { floor: Math.max(1, least), cap: candidates.length });
}

/** EffiVLM-Bench's share of the prompt per layer, in single precision as in its code. */
export function effivlmShares(input: PlanInput, variant: Variant): number[] {
  const { layers, retention } = input;
  const fixed = variant === "effivlmFixed";
  const { sparsity } = need(input, "postVision");
  const dense = Array.from(sparsity, (value) => float(1 - value));
  const total = float(dense.reduce((a, b) => float(a + b), 0));
  const scale = fixed ? 0.9 : 1;
  return dense.map((value) => {
    let share = float(float(value / total) * float(retention));
    if (fixed) share = float(share * float(scale));
    share = float(share * layers);
    return Math.min(1, Math.max(float(LEAST_SHARE * scale), share));
  });
}

/** Rows of every layer, and how many of them are the newest. */
function effivlmRows(
  input: PlanInput,
  { variant, recentShare }: { readonly variant: Variant; readonly recentShare: number },
) {
  const rows = input.candidates.length;
  const fixed = variant === "effivlmFixed";
  return effivlmShares(input, variant).map((share) => {
    const own = Math.max(1, Math.trunc(float(share * rows)));
    const width = fixed
      ? rows * input.retention * recentShare
      : float(float(share * rows) * float(recentShare));
    const window = Math.min(rows, Math.max(1, Math.trunc(width)));
    return { window, total: Math.min(rows, own + window) };
  });
}
