import { groupRows, type HeadGroup, indices, marked, sumAt } from "./fold";
import { firstTextRow, votedKeys } from "./prompt";
import type { PromptAttention, RowScores, TapDefinition } from "./tap";

/** Which of the text rows T vote: E. */
export interface EliteSpec {
  /**
   * `elite`: text rows with at least `alpha` of the maximum of the last row's attention, renormalised
   * over T per query head, then averaged over heads (all, or the group).
   */
  readonly window: "elite" | "allText" | "last16" | "last32";
  readonly alpha: number;
  /** One elite set and one importance per KV head instead of per layer. */
  readonly perKvHead: boolean;
}

export interface EliteVotes {
  /** Importance I per key, 0 for keys that are not scored. heads = 1 or KV heads. */
  readonly importance: RowScores;
  /** [layer][head]: the elite rows E, ascending. */
  readonly rows: readonly (readonly Uint32Array[])[];
}

/**
 * AirCache: the voters E vote on the candidates before T (scope `visual`: the visual rows V; scope
 * `prompt`: every row before the text). A voter's row is renormalised over those candidates and the voters
 * k <= q, per query head; its vote is then averaged over heads (all, or the group) and voters.
 */
export const elite: TapDefinition<EliteSpec, EliteVotes> = {
  examples: [
    { window: "elite", alpha: 0.6, perKvHead: false },
    { window: "elite", alpha: 0.7, perKvHead: true },
    { window: "allText", alpha: 1, perKvHead: false },
    { window: "last16", alpha: 1, perKvHead: true },
  ],
  reference(spec, input) {
    const { layers, rows, kvHeads, heads } = input;
    const count = spec.perKvHead ? kvHeads : 1;
    const size = heads / count;
    const data = new Float32Array(layers * count * rows);
    const keys = marked(votedKeys(input, rows));
    const chosen = Array.from({ length: layers }, (_, layer) =>
      Array.from({ length: count }, (_, group) => {
        const own = { layer, group, size };
        const voters = eliteRows(spec, input, own);
        const out = new Float64Array(rows);
        for (const query of voters) {
          for (const row of groupRows(input, own, query)) {
            const seen = voters.filter((key) => key <= query);
            const mass = sumAt(row, keys) + sumAt(row, seen);
            if (mass === 0) continue;
            for (const key of keys) out[key]! += row[key]! / mass / size / voters.length;
          }
        }
        data.set(out, (layer * count + group) * rows);
        return Uint32Array.from(voters);
      }),
    );
    return { importance: { layers, heads: count, rows, data }, rows: chosen };
  },
};

function eliteRows(
  { window, alpha }: EliteSpec,
  input: PromptAttention,
  heads: HeadGroup,
): readonly number[] {
  const text = indices(firstTextRow(input), input.rows);
  if (window === "allText") return text;
  if (window === "last16") return text.slice(-16);
  if (window === "last32") return text.slice(-32);
  const mean = textAttention(input, heads);
  const bar = alpha * text.reduce((max, key) => Math.max(max, mean[key]!), 0);
  return text.filter((key) => mean[key]! >= bar);
}

/** [N] The last row's attention renormalised over the text, mean over a group of query heads. */
export function textAttention(input: PromptAttention, heads: HeadGroup): Float64Array {
  const text = indices(firstTextRow(input), input.rows);
  const mean = new Float64Array(input.rows);
  for (const row of groupRows(input, heads, input.rows - 1)) {
    const mass = sumAt(row, text);
    if (mass > 0) for (const key of text) mean[key]! += row[key]! / mass / heads.size;
  }
  return mean;
}
