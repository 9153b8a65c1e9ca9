import { keptRows } from "@/compression/keepPlan";
import type { KeepPlan, LayerPlan } from "@/compression/types";
import { createRerotateKeys, type RerotateKeys } from "@/gpu/kernels/cache/rerotateKeys";
import { runOnce } from "../scratch";
import type { KvCache } from "./cache";
import type { RowCounts } from "./layout";
import { ListBuilder, startOf } from "./planLists";
import { axisAngles } from "./rotary";
import type { AxisPositions } from "./tokenPositions";

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

/** The key of a slot moves by `delta` positions in each axis. */
interface Shift {
  readonly slot: number;
  readonly delta: AxisPositions;
}

/** The rows of a cache before a plan is executed. */
interface Standing {
  readonly rows: RowCounts;
  /** The newest rows of every head that have their tokens' own positions: an image and what follows. */
  readonly unplaced: readonly AxisPositions[];
  /** Position of the first of them, if it were text; that of the next token if there are none. */
  readonly position: number;
}

/** Call it before the rows change. */
export function standingOf(cache: KvCache): Standing {
  const { seen, unplaced: first } = cache.tokens;
  const unplaced = Array.from({ length: seen - first }, (_, i) => cache.axisPositions(first + i));
  const [position = cache.position] = unplaced[0] ?? [];
  return { rows: cache.rowCounts(), unplaced, position };
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
  const { layers, kvHeads, kvType, headDim, reduction = "one" } = cache.shape;
  const position = Math.max(...cache.rowCounts().flat());
  const rerotateKeys = await createRerotateKeys(cache.gpu, kvType, headDim, reduction);
  for (let layer = 0; layer < layers; layer++) {
    const layerPlan = plan.layers[layer] as LayerPlan;
    const shifts = Array.from({ length: kvHeads }, (_, head) => {
      const base = startOf(start, layer, head);
      const placed = startOf(before.rows, layer, head) - before.unplaced.length;
      const stands = position - cache.rows(layer, head);
      const kept = keptRows(layerPlan, head);
      return Array.from({ length: cache.rows(layer, head) }, (_, slot) => {
        const place = slot < base ? slot : base + (kept[slot - base] as number);
        const stood = before.unplaced[place - placed] ?? before.position - placed + place;
        return { slot, delta: difference(stands + slot, stood) };
      }).filter(({ delta }) => delta.some((axis) => axis !== 0));
    });
    rerotateLayer(cache, rerotateKeys, layer, shifts);
  }
  cache.rebase(position);
}

/** From positions that are one number in all axes, or one number per axis. */
function difference(to: number, from: AxisPositions | number): AxisPositions {
  if (typeof from === "number") return [to - from, to - from, to - from];
  return [to - from[0], to - from[1], to - from[2]];
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
  if (shifts.every((list) => list.length === 0)) return;
  const deltas = new DeltaTable();
  const builder = new ListBuilder(cache.shape);
  let copies = 0;
  for (const [head, { offset }] of cache.regions(layer).entries()) {
    const list = shifts[head] as readonly Shift[];
    const words = list.flatMap(({ slot, delta }) => [slot, copies++, deltas.indexOf(delta)]);
    builder.header(layer, head, [builder.add(words), list.length, offset, 0]);
  }
  const table = axisAngles(frequenciesOf(cache), cache.shape.axes, deltas.all);
  runOnce(cache.gpu, "rerotate keys", 2, (scratch, recorder) => {
    const args = {
      lists: scratch.upload("lists", builder.build()),
      keys: cache.layer(layer).k,
      copies: scratch.numbers("key copies", copies * headDim),
      heads,
      layer,
      entries: Math.max(...shifts.map((list) => list.length)),
    };
    const angles = scratch.upload("angles", table);
    rerotateKeys.copy(recorder, args);
    rerotateKeys.rerotate(recorder, { ...args, angles });
    recorder.submit();
  });
}

/** Distinct deltas, numbered in the order in which they are first asked for. */
class DeltaTable {
  readonly all: AxisPositions[] = [];
  readonly #indices = new Map<number, number>();

  indexOf(delta: AxisPositions): number {
    // Three numbers of 17 bits each are an exact double.
    const key = delta.reduce((sum, axis) => sum * 2 ** 17 + axis + 2 ** 16, 0);
    const known = this.#indices.get(key);
    if (known !== undefined) return known;
    this.#indices.set(key, this.all.length);
    return this.all.push(delta) - 1;
  }
}

/** @throws RangeError if the cache has no rotary frequencies */
export function frequenciesOf(cache: KvCache): Float32Array {
  const { frequencies } = cache.shape;
  if (!frequencies) throw new RangeError("kv: cacheIndex needs the rotary frequencies");
  return frequencies;
}
