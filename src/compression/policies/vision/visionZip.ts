import { cosine, unitRows } from "../../blocks/cosine";
import { topPlaces } from "../../blocks/select";
import { real } from "../../options";
import { needVision, type VisualChoice, visionPolicy } from "../../visionPolicy";

/**
 * VisionZip: keeps the visual rows that the encoder attends to and merges the others into evenly spaced
 * ones of them, before the prefill.
 *
 * Dominant rows: the highest a_i, the encoder's attention to row i [V]. Contextual rows: targets at equal
 * steps among the other rows; each remaining row joins the target with the highest cosine of the encoder's
 * keys, mean over heads. F_t ← mean(F_t, F_i, …).
 *
 * https://arxiv.org/abs/2412.04467, release https://github.com/dvlab-research/VisionZip.
 * There a = attention of the class token, or the mean of all patches without one (SigLIP). Attention, keys and the
 * choice of rows are compared with PyTorch (`visionZip.gpu.test.ts`). The release adds the mean of the merged rows to
 * the target before the connector, F_t ← F_t + mean(F_i); here they are averaged behind it, so that it works for
 * every connector, also for those that fold patches, where the release has none. A row that folds several patches has
 * the mean of their keys.
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
  beforePrefill: ["attention", "keys"],
  choose(input, count, { contextual }) {
    const { data, width } = needVision(input, "keys");
    const targets = Math.min(count, Math.round(contextual * count));
    return zipRows(needVision(input, "attention"), data, width, [count - targets, targets]);
  },
});

/** @param data keys, f32 [rows, width] @param counts of dominant and contextual rows */
export function zipRows(
  attention: Float32Array,
  data: Float32Array,
  width: number,
  [dominant, contextual]: readonly [number, number],
): VisualChoice {
  const first = new Set(topPlaces(Float64Array.from(attention), dominant));
  const others = Array.from(attention.keys()).filter((row) => !first.has(row));
  const step = Math.max(1, Math.floor(others.length / contextual));
  const targets = others.filter((_, i) => i % step === 0).slice(0, contextual);
  const keep = [...first, ...targets].sort((a, b) => a - b);
  if (targets.length === 0) return { keep };
  const unit = unitRows(data, width);
  const into = new Int32Array(attention.length).fill(-1);
  const isKept = new Set(keep);
  for (const row of others.filter((each) => !isKept.has(each))) {
    const cosines = targets.map((target) => cosine(unit, width, row, target));
    into[row] = targets[cosines.indexOf(Math.max(...cosines))] as number;
  }
  return { keep, into };
}
