import type { KeepPlan, LayerPlan } from "@/compression/types";
import { createTurnKeys, type TurnKeys } from "@/gpu/kernels/cache/turnKeys";
import { Scratch } from "../scratch";
import type { KvCache, RowCounts } from "./cache";
import { keptRows, ListBuilder, startOf } from "./planLists";
import { rotaryAngles } from "./rotary";

/**
 * Positions by place in the cache (StreamingLLM, https://arxiv.org/abs/2309.17453).
 *
 * There, keys are cached without rotation and rotated at every step by their place, the query by the
 * last one. Attention sees differences of positions only, so the same numbers come from keys that are
 * cached rotated, as long as a head's row of place i stands at `position - rows + i`, `position` being
 * that of the next token. Appending keeps that true. Dropping rows when a prompt ends moves most rows:
 * they are turned once, below. Evicting one row while decoding moves the rows before it one up and
 * leaves the others and the query alone: see `FrontRows`.
 */

/** A key that is to be rotated on by a number of positions. */
interface Turn {
  readonly slot: number;
  readonly delta: number;
}

/** Where the rows of a cache stand before a plan is carried out. */
export interface Standing {
  readonly position: number;
  readonly rows: RowCounts;
}

export function standingOf(cache: KvCache): Standing {
  return { position: cache.position, rows: cache.rowCounts() };
}

/**
 * Turns the keys that a plan has moved to their new places, and counts positions from there.
 * `cache` has been compacted; `before` is how its rows stood.
 */
export async function turnToPlaces(
  cache: KvCache,
  plan: KeepPlan,
  start: RowCounts,
  before: Standing,
): Promise<void> {
  const { layers, kvHeads, kvType, headDim } = cache.shape;
  const position = Math.max(...cache.rowCounts().flat());
  const turnKeys = await createTurnKeys(cache.gpu, kvType, headDim);
  for (let layer = 0; layer < layers; layer++) {
    const layerPlan = plan.layers[layer] as LayerPlan;
    const turns = Array.from({ length: kvHeads }, (_, head) => {
      const base = startOf(start, layer, head);
      const stood = before.position - startOf(before.rows, layer, head);
      const stands = position - cache.rows(layer, head);
      const kept = keptRows(layerPlan, head);
      return Array.from({ length: cache.rows(layer, head) }, (_, slot) => {
        const place = slot < base ? slot : base + (kept[slot - base] as number);
        return { slot, delta: stands + slot - (stood + place) };
      }).filter(({ delta }) => delta !== 0);
    });
    turnLayer(cache, turnKeys, layer, turns);
  }
  cache.rebase(position);
}

/** [head] */
type Turns = readonly (readonly Turn[])[];

function turnLayer(cache: KvCache, turnKeys: TurnKeys, layer: number, turns: Turns): void {
  const { headDim, kvHeads: heads } = cache.shape;
  const deltas = turns.flat().map(({ delta }) => delta);
  if (deltas.length === 0) return;
  const lowest = deltas.reduce((a, b) => Math.min(a, b));
  const highest = deltas.reduce((a, b) => Math.max(a, b));
  const scratch = new Scratch(cache.gpu, "turn keys");
  const builder = new ListBuilder(cache.shape);
  let lifted = 0;
  for (const [head, { offset }] of cache.regions(layer).entries()) {
    const list = turns[head] as readonly Turn[];
    const words = list.flatMap(({ slot, delta }) => [slot, lifted++, delta - lowest]);
    builder.header(layer, head, [builder.add(words), list.length, offset, 0]);
  }
  const args = {
    lists: scratch.upload("lists", builder.build()),
    keys: cache.layer(layer).k,
    lifted: scratch.numbers("lifted", lifted * headDim),
    heads,
    layer,
    entries: Math.max(...turns.map((list) => list.length)),
  };
  const table = rotaryAngles(frequenciesOf(cache), lowest, highest - lowest + 1);
  const angles = scratch.upload("angles", table);
  const recorder = cache.gpu.recorder("turn keys", 2);
  turnKeys.lift(recorder, args);
  turnKeys.turn(recorder, { ...args, angles });
  recorder.submit();
  recorder.destroy();
  scratch.destroy();
}

/** @throws RangeError where the cache was not told how its keys are rotated */
export function frequenciesOf(cache: KvCache): Float32Array {
  const { frequencies } = cache.shape;
  if (!frequencies) throw new RangeError("kv: cacheIndex needs the rotary frequencies");
  return frequencies;
}
