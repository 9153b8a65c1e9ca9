import { unitRows } from "../../blocks/cosine";
import { lineEnds } from "../../blocks/grid";
import { real } from "../../options";
import { needVision, visionPolicy } from "../../visionPolicy";
import { absorbed, type Zipped, zipped } from "./visionZipRows";

/**
 * VisionZip: keeps the visual rows that the encoder attends to and merges the others into evenly spaced
 * ones of them, before the prefill.
 *
 * Dominant rows: the highest a_i, the encoder's attention to row i [V]. Contextual rows: targets evenly
 * spaced among the other rows; each remaining row joins the target with the highest cosine of the encoder's
 * keys, mean over heads. F_t ← F_t + mean(F_i).
 *
 * https://arxiv.org/abs/2412.04467, release https://github.com/dvlab-research/VisionZip.
 * There a = attention of the class token, or the mean of all patches without one (SigLIP). Merged rows are computed as
 * there where the connector takes each row by itself (LLaVA): F is what it takes. Where it folds patches (pixel shuffle,
 * Qwen-VL's merger) or rows are interpolated (large images of LLaVA-OneVision), F is what it gives; a row's attention and
 * keys are the sums over its patches. Attention, keys, choice and merged rows are compared with PyTorch
 * (`visionZip.gpu.test.ts`).
 *
 * Other than there, the class token is not kept, the share is one of all tiles together, and rows that end lines count
 * among the kept ones: those of lines with a kept patch.
 */
export const visionZip = visionPolicy({
  id: "visionzip",
  label: "VisionZip",
  summary:
    "Keeps the rows that the vision encoder attends to and merges the rest, before the prefill.",
  paper: {
    title: "VisionZip: Longer is Better but Not Necessary in Vision Language Models",
    venue: "CVPR 2025",
    url: "https://arxiv.org/abs/2412.04467",
  },
  release: "https://github.com/dvlab-research/VisionZip",
  options: {
    // The release: 10 of 64, 16 of 128, 30 of 192 rows.
    contextual: real(
      "Contextual share",
      "Share of the kept rows that others merge into",
      [0, 1],
      0.16,
    ),
  },
  beforePrefill: ["attention", "keys", "grids"],
  count:
    "Where rows end lines, those of lines with a kept patch are among the kept, which may be fewer then. Rows merge " +
    "before the connector where it takes each row by itself (LLaVA), else behind it: where it folds patches, and where " +
    "rows are interpolated.",
  choose(input, count, { contextual }) {
    const attention = needVision(input, "attention");
    const { data, width } = needVision(input, "keys");
    const unit = unitRows(data, width);
    const grids = needVision(input, "grids");
    const rowsOf = (rows: number) => {
      const targets = Math.min(rows, Math.round(contextual * rows));
      return zipped(attention, unit, width, [rows - targets, targets]);
    };
    let rows = count;
    const isTooMany = ({ keep }: Zipped) => keep.length + lineEnds(grids, keep).length > count;
    while (rows > 1 && isTooMany(rowsOf(rows))) rows--;
    const chosen = rowsOf(rows);
    const keep = [...chosen.keep, ...lineEnds(grids, chosen.keep)].sort((a, b) => a - b);
    if (chosen.targets.length === 0) return { keep };
    return { keep, into: absorbed(chosen, unit, width), addsFeatures: true };
  },
});
