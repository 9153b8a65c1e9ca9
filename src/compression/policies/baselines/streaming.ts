import { evictedShare, releasedForget, uniformBudget } from "../../blocks/budget";
import { dueToHold, dueToRatio } from "../../blocks/decodeRules";
import { keepTop, layerCounts, planLayers, rowsPerLayer } from "../../blocks/select";
import { definePolicy } from "../../definePolicy";
import { choice, formerly, integer } from "../../options";
import type { PlanInput } from "../../types";

/**
 * StreamingLLM: keeps the first few rows (attention sinks) and the newest rows; while decoding, a
 * sliding window.
 *
 * Plan: places 0 … sinks - 1 and the newest count - sinks of each layer, [1, count]. No scores.
 *
 * https://arxiv.org/abs/2309.17453, release https://github.com/mit-han-lab/streaming-llm: there
 * keys are cached before the rotary embedding and rotated by their slot at every step (`cacheIndex`
 * positions). `local` is the baseline of that name in the Elastic Cache release: it drops int(N - N
 * ρ) rows after the sinks, also while decoding.
 */
export const streaming = definePolicy({
  id: "streaming",
  label: "StreamingLLM",
  summary: "Keeps the first few rows and the newest ones.",
  paper: {
    title: "Efficient Streaming Language Models with Attention Sinks",
    venue: "ICLR 2024",
    url: "https://arxiv.org/abs/2309.17453",
  },
  release: "https://github.com/mit-han-lab/streaming-llm",
  options: {
    sinks: integer("Sinks", "Oldest rows that are always kept", [0, 64], 4),
    variant: formerly(
      "reading",
      choice("Variant", "local: the baseline in the Elastic Cache release", ["paper", "local"]),
    ),
  },
  ranks: false,
  keepsNewest: 1,
  deviation: ({ variant }) =>
    variant === "local" ? "Drops int(N - N ρ) rows in every layer, as released." : undefined,
  deviantRows: (input, { sinks }) => localRows(input, sinks),
  taps: () => ({}),
  plan(input, { sinks, variant }) {
    const counts =
      variant === "local"
        ? localRows(input, sinks)
        : layerCounts(input, () => uniformBudget(input.budget, input.layers));
    const age = new Float64Array(input.candidates.length);
    return planLayers(input, counts, (_, count) => [
      keepTop(age, count, { first: sinks, last: count }).places,
    ]);
  },
  decode(input, plan, { sinks, variant }) {
    const share = 1 - evictedShare(input.retention);
    const due =
      variant === "local" ? dueToRatio(() => share) : dueToHold(rowsPerLayer(input, plan));
    return {
      due: (layer, rows, seen) => Math.min(due(layer, rows, seen), Math.max(0, rows - sinks)),
      victim: { kind: "age", index: (_, rows) => Math.min(sinks, rows - 1) },
    };
  },
});

function localRows({ candidates, layers, retention }: PlanInput, sinks: number): number[] {
  const rows = candidates.length;
  const kept = Math.max(rows - releasedForget(rows, retention), Math.min(sinks, rows));
  return new Array<number>(layers).fill(kept);
}
