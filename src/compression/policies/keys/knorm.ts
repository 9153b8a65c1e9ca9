import { headScores, need } from "../../blocks/score";
import { integer } from "../../options";
import { scorePolicy } from "../../scorePolicy";

/**
 * KNorm: keeps the keys with the smallest norm, per KV head; keys with a small norm receive much
 * attention.
 *
 * Score: s_j = -‖K_j‖₂, [G, N] per layer.
 *
 * https://arxiv.org/abs/2406.11430, release https://github.com/alessiodevoto/l2compress: it does
 * not compress the first two layers; here, as in kvpress, every layer is compressed and no row is
 * protected by default.
 */
export const knorm = scorePolicy({
  id: "knorm",
  label: "KNorm",
  summary: "Keeps the keys with the smallest norm; needs no attention.",
  paper: {
    title: "A Simple and Effective L2 Norm-Based Strategy for KV Cache Compression",
    venue: "EMNLP 2024",
    url: "https://arxiv.org/abs/2406.11430",
  },
  release: "https://github.com/alessiodevoto/l2compress",
  options: {
    sinks: integer("Sinks", "Oldest rows that are always kept", [0, 64], 0),
    recent: integer("Recents", "Newest rows that are always kept", [0, 64], 0),
  },
  taps: () => ({ keyStats: true }),
  score: (input, layer) =>
    headScores(input, need(input, "keyStats").keyNorm, layer).map((norms) =>
      norms.map((norm) => -norm),
    ),
});
