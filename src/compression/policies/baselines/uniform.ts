import { uniformBudget } from "../../blocks/budget";
import { layerCounts, planLayers } from "../../blocks/select";
import { definePolicy } from "../../definePolicy";

/**
 * Keeps evenly spaced rows, the same in every layer; for an image, a coarser grid of patches. Needs
 * no attention. A stronger baseline than random rows.
 *
 * Plan: places ⌊(i + ½) · |C| / count⌋ for i < count, [1, count] per layer. No scores.
 */
export const uniform = definePolicy({
  id: "uniform",
  label: "Evenly spaced",
  summary: "Keeps evenly spaced rows, like a coarser grid of patches.",
  options: {},
  ranks: false,
  taps: () => ({}),
  plan(input) {
    const counts = layerCounts(input, () => uniformBudget(input.budget, input.layers));
    return planLayers(input, counts, (_, count) => [
      Uint32Array.from({ length: count }, (_, i) =>
        Math.floor(((i + 0.5) * input.candidates.length) / count),
      ),
    ]);
  },
});
