import { roundHalfEven, uniformBudget } from "../../blocks/budget";
import { layerScores, need } from "../../blocks/score";
import { choice, formerly, integer } from "../../options";
import { scorePolicy } from "../../scorePolicy";
import type { PlanInput } from "../../types";

/**
 * FastV for the KV cache: the newest query's attention in an early layer ranks the visual rows, and
 * every deeper layer keeps the same highest-ranked rows. The layers up to there are not compressed.
 *
 * Score: s_j = mean over heads of A[K - 1, N - 1, j], [1, N], the same for every layer from K on.
 *
 * https://arxiv.org/abs/2403.06764, release https://github.com/pkunlp-icler/FastV: it drops the
 * tokens from the forward pass itself, and its ratio applies to the deeper layers only (`release`,
 * which exceeds the budget). `exact` counts the uncompressed layers in the budget, as many of them
 * as possible while every deeper layer keeps a row.
 */
export const fastV = scorePolicy({
  id: "fastv",
  label: "FastV",
  summary: "Ranks the image once, in an early layer, by the newest query's attention.",
  paper: {
    title:
      "An Image is Worth 1/2 Tokens After Layer 2: Plug-and-Play Inference Acceleration for Large Vision-Language Models",
    venue: "ECCV 2024",
    url: "https://arxiv.org/abs/2403.06764",
  },
  release: "https://github.com/pkunlp-icler/FastV",
  options: {
    layer: integer(
      "Layer K",
      "Layers before it are not compressed; the last of them ranks the rows",
      [1, 64],
      2,
    ),
    variant: formerly(
      "reading",
      choice("Budget", "release: the ratio applies to the deeper layers only", [
        "exact",
        "release",
      ]),
    ),
  },
  deviation: ({ variant }) =>
    variant === "release"
      ? "The first layers are not compressed and not counted in the budget."
      : undefined,
  deviantRows: releasedRows,
  taps: () => ({ lastRow: true }),
  budget: (input, { layer }) => exactRows(input, layer),
  score(input, _, options) {
    const ranking = Math.min(options.layer, input.layers) - 1;
    return [layerScores(input, need(input, "lastRow"), ranking)];
  },
});

function releasedRows({ layers, retention, candidates }: PlanInput, options: { layer: number }) {
  const deeper = Math.max(1, roundHalfEven(retention * candidates.length));
  return Array.from({ length: layers }, (_, layer) =>
    layer < options.layer ? candidates.length : deeper,
  );
}

function exactRows({ layers, budget, candidates }: PlanInput, layer: number): number[] {
  const rows = candidates.length;
  const affordable = rows > 1 ? Math.floor((budget - layers) / (rows - 1)) : layers;
  const whole = Math.min(layer, layers - 1, affordable);
  return [
    ...new Array<number>(whole).fill(rows),
    ...uniformBudget(budget - whole * rows, layers - whole),
  ];
}
