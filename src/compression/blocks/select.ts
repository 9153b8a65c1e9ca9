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
  const threshold = scores.toSorted()[scores.length - kept]!;
  let ties = kept - scores.reduce((above, score) => above + (score > threshold ? 1 : 0), 0);
  let at = 0;
  for (let place = 0; at < kept; place++) {
    const score = scores[place]!;
    if (score > threshold || (score === threshold && ties-- > 0)) places[at++] = place;
  }
  return places;
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
  const places = Uint32Array.from([
    ...range(0, first),
    ...best.map((place) => place + first),
    ...range(all - last, all),
  ]);
  return { places, scores };
}

/** `start` … `end`, half-open; empty if `end` is not larger. */
export function range(start: number, end: number): Uint32Array {
  return Uint32Array.from({ length: Math.max(0, end - start) }, (_, i) => start + i);
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
      for (const [place, score] of list.scores.entries()) {
        data[at + input.candidates[place]!] = score;
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

function withOutside(input: PlanInput, outside: Uint32Array, places: Uint32Array): Uint32Array {
  const rows = new Uint32Array(outside.length + places.length);
  rows.set(outside);
  for (let i = 0; i < places.length; i++) rows[outside.length + i] = input.candidates[places[i]!]!;
  return outside.length > 0 ? rows.sort() : rows;
}

/** Rows of C that each layer of a plan keeps, mean over its lists. */
export function rowsPerLayer(input: PlanInput, plan: KeepPlan): number[] {
  const outside = input.rows - input.candidates.length;
  return plan.layers.map(
    ({ keep }) => keep.reduce((sum, rows) => sum + rows.length, 0) / keep.length - outside,
  );
}
