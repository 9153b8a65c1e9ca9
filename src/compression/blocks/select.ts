import type { RowScores } from "../taps/tap";
import type { KeepPlan, LayerPlan, MergePlan, PlanInput } from "../types";

/** Turns scores and a count into kept rows. Ties go to the lower place; lists are ascending. */

/** Kept places of one list, ascending, and the scores that they were chosen by. */
export interface Ranking {
  readonly places: Uint32Array;
  /**
   * By place; higher scores are kept first. Shorter than C if the newest places are kept without a
   * score.
   */
  readonly scores: Float64Array;
}

/** The places that a policy keeps in one list, with scores or without. */
type Selection = Ranking | Uint32Array;

/** Places by descending score. */
export function ranked(scores: Float64Array): Uint32Array {
  return Uint32Array.from(scores.keys()).sort((a, b) => scores[b]! - scores[a]! || a - b);
}

/** Places by ascending score. */
export function rankedAscending(scores: Float64Array): Uint32Array {
  return Uint32Array.from(scores.keys()).sort((a, b) => scores[a]! - scores[b]! || a - b);
}

/** The `count` places with the highest scores, ascending. */
export function topPlaces(scores: Float64Array, count: number): Uint32Array {
  const kept = Math.max(0, Math.min(count, scores.length));
  const places = new Uint32Array(kept);
  if (kept === 0) return places;
  const threshold = nthSmallest(scores.slice(), scores.length - kept);
  let ties = kept;
  for (let place = 0; place < scores.length; place++) if (scores[place]! > threshold) ties--;
  let at = 0;
  for (let place = 0; at < kept; place++) {
    const score = scores[place]!;
    if (score > threshold || (score === threshold && ties-- > 0)) places[at++] = place;
  }
  return places;
}

/** The value that would stand at place `n` if the values were sorted. Reorders them (Hoare's selection). */
function nthSmallest(values: Float64Array, n: number): number {
  let first = 0;
  let last = values.length - 1;
  while (first < last) {
    const pivot = values[(first + last) >> 1]!;
    let low = first;
    let high = last;
    while (low <= high) {
      while (values[low]! < pivot) low++;
      while (values[high]! > pivot) high--;
      if (low > high) break;
      const value = values[low]!;
      values[low++] = values[high]!;
      values[high--] = value;
    }
    if (n <= high) last = high;
    else if (n >= low) first = low;
    else break;
  }
  return values[n]!;
}

export interface Protection {
  /** Oldest places that are always kept: sinks. */
  readonly first: number;
  /** Newest places that are always kept: recents. */
  readonly last: number;
}

/**
 * The protected places and the highest-scoring other places, `count` in total. If the count is too
 * small for all protected places, sinks come first, then the newest.
 *
 * @param all places, where the newest have no score; they must be protected then.
 */
export function keepTop(
  scores: Float64Array,
  count: number,
  protect: Protection,
  all = scores.length,
): Ranking {
  const first = Math.min(protect.first, count, all);
  const last = Math.min(protect.last, count - first, all - first);
  const best = topPlaces(scores.subarray(first, all - last), count - first - last);
  const places = new Uint32Array(first + best.length + last);
  places.set(range(0, first));
  for (let i = 0; i < best.length; i++) places[first + i] = best[i]! + first;
  places.set(range(all - last, all), first + best.length);
  return { places, scores };
}

/** `start` … `end`, half-open; empty if `end` is not larger. */
export function range(start: number, end: number): Uint32Array {
  const numbers = new Uint32Array(Math.max(0, end - start));
  for (let i = 0; i < numbers.length; i++) numbers[i] = start + i;
  return numbers;
}

/** Rows per layer: the caller's if given, otherwise the policy's own. */
export function layerCounts(input: PlanInput, own: () => readonly number[]): readonly number[] {
  return input.layerRows ?? own();
}

/**
 * Turns the kept places of every layer, one list or one per KV head, into a plan over the span's
 * rows.
 */
export function planOf(
  input: PlanInput,
  layers: readonly (readonly Selection[])[],
  merge?: (layer: number) => MergePlan | undefined,
  notes?: KeepPlan["notes"],
): KeepPlan {
  const outside = rowsOutside(input);
  const scores = shownScores(input, layers);
  return {
    layers: layers.map((lists, layer): LayerPlan => {
      const keep = lists.map((list) => withOutside(input, outside, selectedPlaces(list)));
      const merging = merge?.(layer);
      return merging ? { keep, merge: merging } : { keep };
    }),
    ...(scores && { scores }),
    ...(notes && { notes }),
  };
}

/** Every layer keeps the same number of rows per head list; `select` gets (layer, count). */
export function planLayers(
  input: PlanInput,
  counts: readonly number[],
  select: (layer: number, count: number) => readonly Selection[],
): KeepPlan {
  return planOf(
    input,
    counts.map((count, layer) => select(layer, count)),
  );
}

function selectedPlaces(selection: Selection): Uint32Array {
  return selection instanceof Uint32Array ? selection : selection.places;
}

/** The scores of all lists, per row; undefined if one list has none. */
function shownScores(
  input: PlanInput,
  layers: readonly (readonly Selection[])[],
): RowScores | undefined {
  const heads = layers[0]?.length ?? 0;
  const data = new Float32Array(layers.length * heads * input.rows);
  for (const [layer, lists] of layers.entries()) {
    if (lists.length !== heads) return undefined;
    for (const [head, list] of lists.entries()) {
      if (list instanceof Uint32Array) return undefined;
      const at = (layer * heads + head) * input.rows;
      for (let place = 0; place < list.scores.length; place++) {
        data[at + input.candidates[place]!] = list.scores[place]!;
      }
    }
  }
  return { layers: layers.length, heads, rows: input.rows, data };
}

/** Rows of the span that are not candidates, ascending. */
export function rowsOutside(input: PlanInput): Uint32Array {
  const inside = new Uint8Array(input.rows);
  for (const row of input.candidates) inside[row] = 1;
  return range(0, input.rows).filter((row) => inside[row] === 0);
}

/** The rows of kept places and the rows outside of C, both ascending, as one ascending list. */
function withOutside(input: PlanInput, outside: Uint32Array, places: Uint32Array): Uint32Array {
  const rows = new Uint32Array(outside.length + places.length);
  let next = 0;
  for (let i = 0; i < places.length; i++) {
    const row = input.candidates[places[i]!]!;
    while (outside[next]! < row) rows[i + next] = outside[next++]!;
    rows[i + next] = row;
  }
  rows.set(outside.subarray(next), places.length + next);
  return rows;
}

/** Rows of C that each layer of a plan keeps, mean over its lists. */
export function rowsPerLayer(input: PlanInput, plan: KeepPlan): number[] {
  const outside = input.rows - input.candidates.length;
  return plan.layers.map(
    ({ keep }) => keep.reduce((sum, rows) => sum + rows.length, 0) / keep.length - outside,
  );
}
