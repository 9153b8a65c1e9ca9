import { keptRows } from "@/compression/keepPlan";
import type { KeepPlan } from "@/compression/types";
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

/** Words of a key in the lists: slot, copy, angle. */
const ENTRY_WORDS = 3;
/** Bytes of lists, copies and angles from which on no further layer joins a submit. */
const SUBMIT_BYTES = 16 * 2 ** 20;

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
  const { kvType, headDim, reduction = "one" } = cache.shape;
  const position = Math.max(...cache.rowCounts().flat());
  const rerotateKeys = await createRerotateKeys(cache.gpu, kvType, headDim, reduction);
  let keys = new MovedKeys(cache);
  for (const [layer, layerPlan] of plan.layers.entries()) {
    keys.add(layer, (head, slot) => {
      const base = startOf(start, layer, head);
      const placed = startOf(before.rows, layer, head) - before.unplaced.length;
      const place = slot < base ? slot : base + (keptRows(layerPlan, head)[slot - base] as number);
      const stood =
        place < placed ? before.position - placed + place : before.unplaced[place - placed]!;
      return difference(position - cache.rows(layer, head) + slot, stood);
    });
    if (keys.bytes < SUBMIT_BYTES) continue;
    keys.rotate(rerotateKeys);
    keys = new MovedKeys(cache);
  }
  keys.rotate(rerotateKeys);
  cache.rebase(position);
}

/** From positions that are one number in all axes, or one number per axis. */
function difference(to: number, from: AxisPositions | number): AxisPositions {
  if (typeof from === "number") return [to - from, to - from, to - from];
  return [to - from[0], to - from[1], to - from[2]];
}

/** Keys of several layers that are rotated in one submit. */
class MovedKeys {
  readonly #cache: KvCache;
  readonly #lists: ListBuilder;
  readonly #deltas = new DeltaTable();
  /** Largest number of keys of a head, by layer. */
  readonly #entries = new Map<number, number>();
  /** Keys of the layer that has most. */
  #copies = 0;

  constructor(cache: KvCache) {
    this.#cache = cache;
    this.#lists = new ListBuilder(cache.shape);
  }

  get bytes(): number {
    const vectors = this.#copies + this.#deltas.all.length;
    return 4 * (this.#lists.words + vectors * this.#cache.shape.headDim);
  }

  /** @param deltaOf by how many positions the key of a slot moves in each axis */
  add(layer: number, deltaOf: (head: number, slot: number) => AxisPositions): void {
    let copies = 0;
    let most = 0;
    for (const [head, { offset, rows }] of this.#cache.regions(layer).entries()) {
      const words = new Uint32Array(rows * ENTRY_WORDS);
      let entries = 0;
      for (let slot = 0; slot < rows; slot++) {
        const delta = deltaOf(head, slot);
        if (delta.every((axis) => axis === 0)) continue;
        const at = entries++ * ENTRY_WORDS;
        words[at] = slot;
        words[at + 1] = copies++;
        words[at + 2] = this.#deltas.indexOf(delta);
      }
      const at = this.#lists.add(words.subarray(0, entries * ENTRY_WORDS));
      this.#lists.header(layer, head, [at, entries, offset, 0]);
      most = Math.max(most, entries);
    }
    if (most > 0) this.#entries.set(layer, most);
    this.#copies = Math.max(this.#copies, copies);
  }

  rotate(rerotateKeys: RerotateKeys): void {
    const { gpu, shape } = this.#cache;
    if (this.#entries.size === 0) return;
    const table = axisAngles(frequenciesOf(this.#cache), shape.axes, this.#deltas.all);
    runOnce(gpu, "rerotate keys", 2 * this.#entries.size, (scratch, recorder) => {
      const lists = scratch.upload("lists", this.#lists.build());
      const angles = scratch.upload("angles", table);
      const copies = scratch.numbers("key copies", this.#copies * shape.headDim);
      for (const [layer, entries] of this.#entries) {
        const keys = this.#cache.layer(layer).k;
        const args = { lists, keys, copies, heads: shape.kvHeads, layer, entries };
        rerotateKeys.copy(recorder, args);
        rerotateKeys.rerotate(recorder, { ...args, angles });
      }
      recorder.submit();
    });
  }
}

/** Distinct deltas, numbered in the order in which they are first asked for. */
class DeltaTable {
  readonly all: AxisPositions[] = [];
  readonly #indices = new Map<number, number>();

  indexOf(delta: AxisPositions): number {
    // Three numbers of 17 bits each are an exact double.
    const [time, height, width] = delta;
    const key = (time * 2 ** 17 + height) * 2 ** 17 + width;
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
