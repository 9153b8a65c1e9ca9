import { headScores, need } from "@/compression/blocks/score";
import { integer } from "@/compression/options";
import { scorePolicy } from "@/compression/scorePolicy";

/**
 * Keeps the rows with the largest value norm, per KV head: such rows can add most to the output.
 *
 * Score of row j: ‖V_j‖₂, [G, N] per layer. No paper; a baseline.
 */
export const valueNorm = scorePolicy({
  id: "valuenorm",
  label: "Value norm",
  summary: "Keeps the values with the largest norm; needs no attention.",
  options: {
    recent: integer("Recents", "Newest rows that are always kept", [0, 64], 0),
  },
  taps: () => ({ keyStats: true }),
  score: (input, layer) => headScores(input, need(input, "keyStats").valueNorm, layer),
});
