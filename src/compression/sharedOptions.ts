import { largestRemainder } from "./blocks/budget";
import { planOf, ranked, rowsPerLayer } from "./blocks/select";
import { choice, real } from "./options";
import { type KeepPlan, type PlanInput, PolicyError } from "./types";

/**
 * Options of every policy: two wrap its plan, and one is for the engine.
 *
 * `protect: ivc` (IVC-Prune, ICLR 2026) always keeps the visual rows whose rotary position makes
 * them positional anchors: the tenth with the largest Σ_k cos(m θ_k) and the tenth with the largest
 * Σ_k sin(m θ_k). They are removed from the candidates before the policy runs, so every policy
 * keeps its exact total. m counts the tokens, also in models with several position axes. A rule that
 * evicts while decoding does not spare them.
 *
 * `blend` spreads a share of the budget evenly over the layers; the policy distributes the rest.
 *
 * `positions` selects the position of the next token; plans do not depend on it.
 */
export const SHARED_OPTIONS = {
  protect: choice(
    "Protect",
    "ivc: always keep the tenth of the visual rows with the largest sum of rotary cosines, and the tenth with the largest sum of sines; at most half of the budget",
    ["none", "ivc"],
  ),
  blend: real(
    "Even share",
    "Share of the budget that is spread evenly over the layers; the policy's own layer budgets get the rest",
    [0, 1],
    0,
  ),
  positions: choice(
    "Positions",
    "original: tokens seen; layer0Length: rows left in layer 0, as the releases of Elastic Cache and PrefixKV count; cacheIndex: place in the cache, as StreamingLLM counts",
    ["original", "layer0Length", "cacheIndex"],
  ),
};

export interface SharedValues {
  readonly protect: "none" | "ivc";
  readonly blend: number;
}

/** Runs `plan` under the shared options. */
export function planShared(
  plan: (input: PlanInput) => KeepPlan,
  input: PlanInput,
  { protect, blend }: SharedValues,
): KeepPlan {
  const anchors = protect === "ivc" ? positionAnchors(input) : { rows: [], asked: 0 };
  const { rows, asked } = anchors;
  const inner = rows.length > 0 ? without(input, rows) : input;
  const blended = planBlended(plan, inner, blend);
  if (rows.length >= asked) return blended;
  const { notices = [] } = blended;
  return { ...blended, notices: [{ code: "fewerAnchors", asked, used: rows.length }, ...notices] };
}

function planBlended(
  plan: (input: PlanInput) => KeepPlan,
  inner: PlanInput,
  blend: number,
): KeepPlan {
  const own = plan(inner);
  if (blend === 0) return own;
  const counts = rowsPerLayer(inner, own);
  const total = counts.reduce((a, b) => a + b, 0);
  const even = total / inner.layers;
  const shares = counts.map((count) => blend * even + (1 - blend) * count);
  return plan({ ...inner, layerRows: largestRemainder(shares, total) });
}

/** The same prompt with `rows` always kept and the budget reduced by their number. */
function without(input: PlanInput, rows: readonly number[]): PlanInput {
  const kept = new Set(rows);
  const candidates = input.candidates.filter((row) => !kept.has(row));
  const budget = input.budget - rows.length * input.layers;
  return { ...input, candidates, budget, retention: budget / (candidates.length * input.layers) };
}

/** IVC-Prune's rows: best by cosine and best by sine in turns, at most half of a layer's budget. */
export function positionAnchors(input: PlanInput): {
  readonly rows: readonly number[];
  /** Rows that would be protected if the budget allowed it. */
  readonly asked: number;
} {
  const { rotary, candidates, budget, layers, visual } = input;
  if (!rotary) throw new PolicyError("protect: ivc needs the model's rotary settings.");
  const first = rotary.firstPosition ?? 0;
  const rows = candidates.filter((row) => visual.some((v) => row >= v.start && row < v.end));
  const sums = (wave: (angle: number) => number) =>
    ranked(
      Float64Array.from(rows, (row) => {
        let sum = 0;
        for (let k = 0; k < rotary.headDim / 2; k++) {
          sum += wave((first + row) * rotary.theta ** ((-2 * k) / rotary.headDim));
        }
        return sum;
      }),
    );
  const orders = [sums(Math.cos), sums(Math.sin)];
  const limit = Math.floor(budget / (2 * layers));
  const chosen = new Set<number>();
  for (let rank = 0; rank < Math.round(rows.length / 10); rank++) {
    for (const order of orders) chosen.add(rows[order[rank]!]!);
  }
  return { rows: [...chosen].slice(0, limit), asked: chosen.size };
}

/** Every row of the prompt, one list per layer. */
export function keepAll(input: PlanInput): KeepPlan {
  const all = Uint32Array.from(input.candidates.keys());
  return planOf(
    input,
    Array.from({ length: input.layers }, () => [all]),
  );
}
