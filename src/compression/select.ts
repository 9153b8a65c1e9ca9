import type { KeepPlan, LayerPlan, MergePlan, PlanInput } from "./types";

/** From scores and a count to kept rows. Ties go to the lower place; lists are ascending. */

/** Places by falling score. */
export function ranked(scores: Float64Array): Uint32Array {
  return Uint32Array.from(scores.keys()).sort((a, b) => scores[b]! - scores[a]! || a - b);
}

/** Places by rising score. */
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
 * The protected places and the best of the rest, `count` in all. Where the count is too small for
 * all protected places, sinks have the first claim, then the newest.
 */
export function keepTop(scores: Float64Array, count: number, protect: Protection): Uint32Array {
  const places = scores.length;
  const first = Math.min(protect.first, count, places);
  const last = Math.min(protect.last, count - first, places - first);
  const best = topPlaces(scores.subarray(first, places - last), count - first - last);
  return Uint32Array.from([
    ...range(0, first),
    ...best.map((place) => place + first),
    ...range(places - last, places),
  ]);
}

export function range(start: number, end: number): Uint32Array {
  return Uint32Array.from({ length: Math.max(0, end - start) }, (_, i) => start + i);
}

/** Rows per layer: those that the caller settled, else the policy's own. */
export function layerCounts(input: PlanInput, own: () => readonly number[]): readonly number[] {
  return input.layerRows ?? own();
}

/** Kept places of every layer, one list or one per KV head, as a plan over the domain's rows. */
export function planOf(
  input: PlanInput,
  layers: readonly (readonly Uint32Array[])[],
  merge?: (layer: number) => MergePlan | undefined,
  notes?: KeepPlan["notes"],
): KeepPlan {
  const outside = rowsOutside(input);
  return {
    layers: layers.map((lists, layer): LayerPlan => {
      const keep = lists.map((places) => withOutside(input, outside, places));
      const merging = merge?.(layer);
      return merging ? { keep, merge: merging } : { keep };
    }),
    ...(notes && { notes }),
  };
}

/** Every layer keeps the same number of rows per head list; `select` gets (layer, count). */
export function planLayers(
  input: PlanInput,
  counts: readonly number[],
  select: (layer: number, count: number) => readonly Uint32Array[],
): KeepPlan {
  return planOf(
    input,
    counts.map((count, layer) => select(layer, count)),
  );
}

/** Rows of the domain that are no candidates, ascending. */
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
export function keptRows(input: PlanInput, plan: KeepPlan): number[] {
  const outside = input.rows - input.candidates.length;
  return plan.layers.map(
    ({ keep }) => keep.reduce((sum, rows) => sum + rows.length, 0) / keep.length - outside,
  );
}
