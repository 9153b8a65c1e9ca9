import { keptRows } from "@/compression/keepPlan";
import type { KeepPlan, LayerPlan } from "@/compression/types";
import { createRerotateKeys, type RerotateKeys } from "@/gpu/kernels/cache/rerotateKeys";
import { Scratch } from "../scratch";
import type { KvCache } from "./cache";
import type { RowCounts } from "./layout";
import { ListBuilder, startOf } from "./planLists";
import { rotaryAngles } from "./rotary";

/**
 * Positions by cache index (StreamingLLM, https://arxiv.org/abs/2309.17453).
 *
 * StreamingLLM caches keys without rotation and rotates them at every step by their index, and the
 * query by the last index. Attention depends only on differences of positions, so cached rotated
 * keys give the same results if the row with index i of a head has the position `position - rows +
 * i`, where `position` is that of the next token. Appending preserves this. Dropping rows after a
 * prompt changes the index of most rows; they are rotated once, below. Evicting one row while
 * decoding moves the rows before it up by one and does not change the others or the query: see
 * `FrontRows`.
 */

/** The key of a slot moves by `delta` positions. */
interface Shift {
  readonly slot: number;
  readonly delta: number;
}

/** Position and row counts of a cache before a plan is executed. */
export interface Standing {
  readonly position: number;
  readonly rows: RowCounts;
}

export function standingOf(cache: KvCache): Standing {
  return { position: cache.position, rows: cache.rowCounts() };
}

/**
 * Rotates the keys that a plan has moved to their new places, and counts positions from there.
 * `cache` has been compacted; `before` is how its rows stood.
 */
export async function rerotateToPlaces(
  cache: KvCache,
  plan: KeepPlan,
  start: RowCounts,
  before: Standing,
): Promise<void> {
  const { layers, kvHeads, kvType, headDim } = cache.shape;
  const position = Math.max(...cache.rowCounts().flat());
  const rerotateKeys = await createRerotateKeys(cache.gpu, kvType, headDim);
  for (let layer = 0; layer < layers; layer++) {
    const layerPlan = plan.layers[layer] as LayerPlan;
    const shifts = Array.from({ length: kvHeads }, (_, head) => {
      const base = startOf(start, layer, head);
      const stood = before.position - startOf(before.rows, layer, head);
      const stands = position - cache.rows(layer, head);
      const kept = keptRows(layerPlan, head);
      return Array.from({ length: cache.rows(layer, head) }, (_, slot) => {
        const place = slot < base ? slot : base + (kept[slot - base] as number);
        return { slot, delta: stands + slot - (stood + place) };
      }).filter(({ delta }) => delta !== 0);
    });
    rerotateLayer(cache, rerotateKeys, layer, shifts);
  }
  cache.rebase(position);
}

/** [head] */
type Shifts = readonly (readonly Shift[])[];

function rerotateLayer(
  cache: KvCache,
  rerotateKeys: RerotateKeys,
  layer: number,
  shifts: Shifts,
): void {
  const { headDim, kvHeads: heads } = cache.shape;
  const deltas = shifts.flat().map(({ delta }) => delta);
  if (deltas.length === 0) return;
  const lowest = deltas.reduce((a, b) => Math.min(a, b));
  const highest = deltas.reduce((a, b) => Math.max(a, b));
  const scratch = new Scratch(cache.gpu, "rerotate keys");
  const builder = new ListBuilder(cache.shape);
  let copies = 0;
  for (const [head, { offset }] of cache.regions(layer).entries()) {
    const list = shifts[head] as readonly Shift[];
    const words = list.flatMap(({ slot, delta }) => [slot, copies++, delta - lowest]);
    builder.header(layer, head, [builder.add(words), list.length, offset, 0]);
  }
  const args = {
    lists: scratch.upload("lists", builder.build()),
    keys: cache.layer(layer).k,
    copies: scratch.numbers("key copies", copies * headDim),
    heads,
    layer,
    entries: Math.max(...shifts.map((list) => list.length)),
  };
  const table = rotaryAngles(frequenciesOf(cache), lowest, highest - lowest + 1);
  const angles = scratch.upload("angles", table);
  const recorder = cache.gpu.recorder("rerotate keys", 2);
  rerotateKeys.copy(recorder, args);
  rerotateKeys.rerotate(recorder, { ...args, angles });
  recorder.submit();
  recorder.destroy();
  scratch.destroy();
}

/** @throws RangeError if the cache has no rotary frequencies */
export function frequenciesOf(cache: KvCache): Float32Array {
  const { frequencies } = cache.shape;
  if (!frequencies) throw new RangeError("kv: cacheIndex needs the rotary frequencies");
  return frequencies;
}
