import { needVision, visionPolicy } from "../../visionPolicy";

/**
 * PixelPrune without loss: drops visual rows whose pixels are those of an earlier row of the same image,
 * before the prefill.
 *
 * Row i is kept if no row j < i of its image has the same pixels, X_i = X_j. If the retention asks for
 * more rows, the first duplicates stay, too; it never drops a row that is not one.
 *
 * https://arxiv.org/abs/2604.00886 (τ = 0), release https://github.com/OPPO-Mente-Lab/PixelPrune. The
 * release predicts a patch from its neighbours and leaves pruned patches out of the encoder, which changes the
 * features of all others, because every patch attends to every other. Here the encoder sees the whole image,
 * so that the rows that stay are those of the full prompt; a duplicate is one of any earlier patch.
 */
export const pixelPrune = visionPolicy({
  id: "pixelprune",
  label: "PixelPrune",
  summary: "Drops image rows whose pixels repeat those of an earlier row, before the prefill.",
  paper: {
    title: "PixelPrune: Pixel-Level Adaptive Visual Token Reduction via Predictive Coding",
    venue: "arXiv 2026",
    url: "https://arxiv.org/abs/2604.00886",
  },
  release: "https://github.com/OPPO-Mente-Lab/PixelPrune",
  options: {},
  beforePrefill: ["firstEqual"],
  count: "Rows that repeat no other stay, whatever the retention.",
  choose: (input, count) => ({ keep: distinctRows(needVision(input, "firstEqual"), count) }),
});

/** Rows that are the first with their pixels, and the first others up to `count` rows. */
export function distinctRows(firstEqual: Uint32Array, count: number): readonly number[] {
  let spare = count - firstEqual.reduce((sum, first, row) => sum + Number(first === row), 0);
  return [...firstEqual.keys()].filter((row) => firstEqual[row] === row || spare-- > 0);
}
