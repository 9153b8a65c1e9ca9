import { absorbedInto, keptRows } from "../keepPlan";
import type { LayerPlan, MergePlan, PlanInput } from "../types";

/** Assigns dropped rows to kept rows, and merges keys and values on the CPU as a reference. */

/** The entry of `anchors` (ascending) that is nearest to `place`; ties to the lower one. */
export function nearest(anchors: ArrayLike<number>, place: number): number {
  let low = 0;
  let high = anchors.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (anchors[middle]! < place) low = middle + 1;
    else high = middle;
  }
  const above = anchors[low]!;
  const below = anchors[Math.max(0, low - 1)]!;
  return Math.abs(place - below) <= Math.abs(above - place) ? below : above;
}

/** Turns a mapping of places to places (-1: not merged) into a plan over the span's rows. */
export function assignMerge(input: PlanInput, into: Int32Array, rule: "mean" | "pivot"): MergePlan {
  const rows = new Int32Array(input.rows).fill(-1);
  into.forEach((target, place) => {
    if (target >= 0) rows[input.candidates[place]!] = input.candidates[target]!;
  });
  return { kind: "assign", into: [rows], rule };
}

/** What one head has cached. */
interface HeadRows {
  /** [rows, dim] keys or values: what is merged. */
  readonly values: Float32Array;
  /** [rows, dim] keys: `nearestKey` compares these, whether keys or values are merged. */
  readonly keys: Float32Array;
  readonly dim: number;
}

/**
 * One head's kept rows after merging, on the CPU; the reference for the gathering kernel.
 *
 * @returns [kept, dim]
 */
export function foldRows(
  layer: LayerPlan,
  head: number,
  { values, keys, dim }: HeadRows,
): Float32Array {
  const keep = keptRows(layer, head);
  const slots = new Int32Array(values.length / dim).fill(-1);
  keep.forEach((row, slot) => {
    slots[row] = slot;
  });
  const sums = new Float64Array(keep.length * dim);
  const counts = new Float64Array(keep.length).fill(1);
  keep.forEach((row, slot) => {
    for (let i = 0; i < dim; i++) sums[slot * dim + i] = values[row * dim + i]!;
  });
  const { merge } = layer;
  if (merge) {
    const into = merge.kind === "assign" ? absorbedInto(merge, head) : null;
    const pivots = into ? keep : pivotsOf(merge, keep);
    for (let row = 0; row < slots.length; row++) {
      if (!into && slots[row]! >= 0) continue;
      const target = into ? into[row]! : nearestKey(keys, dim, row, pivots);
      if (target < 0) continue;
      const slot = slots[target]!;
      counts[slot]! += 1;
      for (let i = 0; i < dim; i++) {
        const own = values[row * dim + i]!;
        const pivot = values[target * dim + i]!;
        sums[slot * dim + i]! += merge.rule === "mean" ? own : (own + pivot) / 2;
      }
    }
  }
  return Float32Array.from(sums, (value, i) => value / counts[Math.floor(i / dim)]!);
}

function pivotsOf(merge: MergePlan, keep: Uint32Array): Uint32Array {
  if (merge.kind !== "nearestKey" || !merge.among) return keep;
  const among = new Set(merge.among);
  return keep.filter((row) => among.has(row));
}

/** The row of `pivots` whose key has the highest cosine with the key of `row`; -1 without pivots. */
function nearestKey(keys: Float32Array, dim: number, row: number, pivots: Uint32Array): number {
  let best = -1;
  let bestCosine = Number.NEGATIVE_INFINITY;
  for (const pivot of pivots) {
    let dot = 0;
    let norm = 0;
    for (let i = 0; i < dim; i++) {
      dot += keys[row * dim + i]! * keys[pivot * dim + i]!;
      norm += keys[pivot * dim + i]! ** 2;
    }
    const cosine = norm > 0 ? dot / Math.sqrt(norm) : 0;
    if (cosine > bestCosine) {
      best = pivot;
      bestCosine = cosine;
    }
  }
  return best;
}
