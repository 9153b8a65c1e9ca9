import { uniformBudget } from "../../blocks/budget";
import { headScores, need } from "../../blocks/score";
import { keepTop, layerCounts, planOf, range, topPlaces } from "../../blocks/select";
import { definePolicy } from "../../definePolicy";
import { choice, formerly, real } from "../../options";
import type { MergePlan, PlanInput } from "../../types";

/** Pushes image rows behind all text; the release adds it to scores that are sums of attention. */
const IMAGE_PENALTY = -10000;

/**
 * LOOK-M: text before images, then by attention received, per KV head; every dropped row is folded
 * into the kept row whose key is most like its own.
 *
 * https://arxiv.org/abs/2406.18139, release https://github.com/SUSTechBruce/LOOK-M (its scripts keep as many
 * recents as heavy hitters). `pivot` averages a dropped row with its keeper before the mean,
 * `average` takes it raw. `effivlm` is EffiVLM-Bench's version
 * (https://github.com/EffiVLM-Bench/EffiVLM-Bench): a tenth recents, both counts truncated, and text that
 * does not fit is kept all the same.
 */
export const lookM = definePolicy({
  id: "lookm",
  label: "LOOK-M",
  summary: "Keeps text first and merges dropped rows into the most similar kept one.",
  paper: {
    title:
      "LOOK-M: Look-Once Optimization in KV Cache for Efficient Multimodal Long-Context Inference",
    venue: "EMNLP Findings 2024",
    url: "https://arxiv.org/abs/2406.18139",
  },
  release: "https://github.com/SUSTechBruce/LOOK-M",
  options: {
    merge: choice("Dropped rows", "How they are folded into kept ones, if at all", [
      "pivot",
      "average",
      "drop",
    ]),
    recentShare: real("Recent share", "Share of the kept rows that are the newest", [0, 1], 0.5),
    variant: formerly(
      "reading",
      choice("Variant", "effivlm: EffiVLM-Bench's counts", ["paper", "effivlm"]),
    ),
  },
  deviation: ({ variant }) =>
    variant === "effivlm"
      ? "Truncated counts, and text beyond them, as in EffiVLM-Bench."
      : undefined,
  deviantRows: (input, { recentShare }) =>
    new Array<number>(input.layers).fill(effivlmRows(input, recentShare)),
  taps: () => ({ columnSum: true }),
  plan(input, { merge, recentShare, variant }) {
    const tap = need(input.taps.columnSum, "columnSum");
    const image = isImage(input);
    const counts = layerCounts(input, () => uniformBudget(input.budget, input.layers));
    const keep = counts.map((count, layer) =>
      headScores(input, tap, layer).map((sums) => {
        const scores = sums.map((sum, place) => sum + (image[place] === 1 ? IMAGE_PENALTY : 0));
        const last = Math.floor(recentShare * count);
        const places =
          variant === "effivlm"
            ? effivlmKeep(input, scores, recentShare)
            : keepTop(scores, count, { first: 0, last }).places;
        return { places, scores: scores.map((score) => score - IMAGE_PENALTY) };
      }),
    );
    const everyRow = input.candidates.length === input.rows;
    const merging: MergePlan = {
      kind: "nearestKey",
      rule: merge === "pivot" ? "pivot" : "mean",
      ...(!everyRow && { among: input.candidates }),
    };
    return planOf(input, keep, () => (merge === "drop" ? undefined : merging));
  },
});

/** Per place 1 where the candidate is a visual row. */
function isImage({ candidates, visual }: PlanInput): Uint8Array {
  return Uint8Array.from(candidates, (row) =>
    visual.some(({ start, end }) => row >= start && row < end) ? 1 : 0,
  );
}

function effivlmCounts({ candidates, retention }: PlanInput, recentShare: number) {
  const rows = candidates.length;
  const recent = Math.max(1, Math.trunc(rows * retention * recentShare));
  const heavy = Math.max(1, Math.trunc(rows * retention * heavyShare(recentShare)));
  return { recent: Math.min(recent, rows), heavy };
}

/** 1 - share without the subtraction's last bits: 0.9, not 0.9000…02. */
function heavyShare(recentShare: number): number {
  return Number((1 - recentShare).toFixed(12));
}

/** The heaviest rows, all text and the recents; everything where the counts cover the prompt. */
function effivlmKeep(input: PlanInput, scores: Float64Array, recentShare: number): Uint32Array {
  const rows = scores.length;
  const { recent, heavy } = effivlmCounts(input, recentShare);
  if (rows <= recent + heavy) return range(0, rows);
  const older = scores.subarray(0, rows - recent);
  const text = range(0, older.length).filter((place) => older[place]! >= 0);
  const kept = new Set([...topPlaces(older, heavy), ...text, ...range(rows - recent, rows)]);
  return Uint32Array.from(kept).sort();
}

function effivlmRows(input: PlanInput, recentShare: number): number {
  const image = isImage(input);
  const scores = Float64Array.from(image, (visual) => visual * IMAGE_PENALTY);
  return effivlmKeep(input, scores, recentShare).length;
}
