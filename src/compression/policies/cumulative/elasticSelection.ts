import { nearest } from "../../blocks/merge";
import { range, rankedAscending } from "../../blocks/select";
import type { PlanInput } from "../../types";

/** Elastic Cache's anchors and the rows merged into them, as in the paper and as in the release. */

/**
 * Paper, Eq. 1–3: a row is merged into the nearest anchor; nothing is merged into sinks and recent
 * rows.
 */
export function buckets(
  input: PlanInput,
  kept: Uint32Array,
  { sinks, recent }: { readonly sinks: number; readonly recent: number },
): Int32Array {
  const rows = input.candidates.length;
  const anchors = kept.filter((place) => place >= sinks && place < rows - recent);
  const into = new Int32Array(rows).fill(-1);
  if (anchors.length === 0) return into;
  const isKept = new Uint8Array(rows);
  for (const place of kept) isKept[place] = 1;
  return into.map((_, place) => (isKept[place] === 1 ? -1 : nearest(anchors, place)));
}

interface OfficialSelection {
  /** Positions in ascending order of score, like the release's argsort. */
  readonly order: Uint32Array;
  readonly anchors: Uint32Array;
  /** Positions whose entry is at most `forget`, without the sinks' offset. */
  readonly thrown: Uint32Array;
  readonly kept: Uint32Array;
  /** Per place the anchor that it is merged into, or -1. */
  readonly into: Int32Array;
}

/** The release's selection of anchors, defects included. */
export function officialSelection(
  scores: Float64Array,
  forget: number,
  { sinks, recent }: { readonly sinks: number; readonly recent: number },
): OfficialSelection {
  const rows = scores.length;
  const none = new Uint32Array(0);
  const into = new Int32Array(rows).fill(-1);
  if (forget <= 1) {
    const kept = range(forget === 1 ? 1 : 0, rows);
    return { order: none, anchors: none, thrown: none, kept, into };
  }
  const first = Math.min(sinks, rows - 1);
  const end = Math.max(first, rows - recent);
  const order = rankedAscending(scores.subarray(first, end));
  const places = range(0, order.length);
  const anchors = places.filter((p) => order[p]! > forget).map((p) => p + first);
  const thrown = places.filter((p) => order[p]! <= forget);
  if (anchors.length > 0) for (const place of thrown) into[place] = nearest(anchors, place);
  const kept = Uint32Array.from([...range(0, first), ...anchors, ...range(end, rows)]);
  return { order, anchors, thrown, kept, into };
}
