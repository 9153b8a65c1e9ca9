import type { Explanation } from "@/protocol/result";
import type { LayerChoice } from "../settings/settings";

export type Importance = NonNullable<Explanation["importance"]>;

/** Scores of one layer or of all layers, for display. */
export interface Heat {
  /** In [0, 1] by position. */
  readonly values: ReadonlyMap<number, number>;
  /** By position, from 1; equal values share the better rank. */
  readonly ranks: ReadonlyMap<number, number>;
  /** The policy's own score by position; absent for all layers, whose scores have no common unit. */
  readonly scores?: ReadonlyMap<number, number>;
}

/** Percentiles of a layer's scores that map to the ends of the colour scale. */
const LOW = 0.01;
const HIGH = 0.99;

/**
 * Scores as heat. Policies have different units, and a few rows are far above the rest. A layer's
 * scores are therefore clipped to their 1st and 99th percentile, scaled to [0, 1], and their square
 * root is the heat. For all layers the heat is the mean.
 */
export function heatOf({ positions, scores }: Importance, layer: LayerChoice): Heat {
  const rows = positions.length;
  const layers = rows === 0 ? 0 : Math.floor(scores.length / rows);
  const of = (each: number) => Array.from({ length: rows }, (_, row) => scores[each * rows + row]!);
  if (layer !== "all") {
    const own = of(Math.min(layer, Math.max(0, layers - 1)));
    return {
      ...ranked(positions, spread(own), own),
      scores: new Map(positions.map((position, row) => [position, own[row]!])),
    };
  }
  const mean = new Array<number>(rows).fill(0);
  for (let each = 0; each < layers; each++) {
    const values = spread(of(each));
    for (let row = 0; row < rows; row++) mean[row]! += values[row]! / layers;
  }
  return ranked(positions, mean, mean);
}

function ranked(
  positions: readonly number[],
  values: readonly number[],
  order: readonly number[],
): Pick<Heat, "values" | "ranks"> {
  const rows = positions.map((_, row) => row).sort((a, b) => order[b]! - order[a]!);
  const ranks = new Map<number, number>();
  rows.forEach((row, place) => {
    const better = rows[place - 1];
    const isTied = better !== undefined && order[better] === order[row];
    ranks.set(positions[row]!, isTied ? ranks.get(positions[better]!)! : place + 1);
  });
  return { values: new Map(positions.map((position, row) => [position, values[row]!])), ranks };
}

/** Scores of one layer in [0, 1]; policies may give protected rows an infinite score. */
function spread(scores: readonly number[]): readonly number[] {
  const sorted = scores.filter(Number.isFinite).sort((a, b) => a - b);
  const at = (part: number) => sorted[Math.round(part * (sorted.length - 1))] ?? 0;
  const low = at(LOW);
  const range = at(HIGH) - low;
  return scores.map((score) => {
    if (!Number.isFinite(score)) return score > 0 ? 1 : 0;
    return range > 0 ? Math.sqrt(Math.min(1, Math.max(0, (score - low) / range))) : 0;
  });
}

/** Positions of the highest values, best first. */
export function hottest(values: ReadonlyMap<number, number>, count: number): readonly number[] {
  return [...values]
    .filter(([, value]) => value > 0)
    .sort((a, b) => b[1] - a[1])
    .slice(0, count)
    .map(([position]) => position);
}
