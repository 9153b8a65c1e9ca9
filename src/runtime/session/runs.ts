import { topPlaces } from "@/compression/blocks/select";
import type { Span } from "@/compression/taps/prompt";
import type { KeepPlan } from "@/compression/types";

/**
 * Rows of a turn that follow each other in the cache, the same number in every layer and head: text, or
 * what is left of a tile.
 */
export interface SlotRun {
  /** Index of the tile; undefined: text. */
  readonly tile: number | undefined;
  /** Tokens of it that the cache has seen. */
  readonly seen: number;
  /** Rows of it that are left in every layer and head. */
  readonly cached: number;
}

/** Rows of the runs, per layer and head. */
export function cachedRows(runs: readonly SlotRun[]): number {
  return runs.reduce((sum, { cached }) => sum + cached, 0);
}

/** Slots of the image rows, one span per tile. */
export function imageSlots(runs: readonly SlotRun[]): readonly Span[] {
  let slot = 0;
  return runs.flatMap(({ tile, cached }) => {
    slot += cached;
    return tile === undefined ? [] : [{ start: slot - cached, end: slot }];
  });
}

/**
 * The runs after rows `from` … `to` of a prompt were appended.
 * @param visual rows of the prompt's tiles
 */
export function withAppended(
  runs: readonly SlotRun[],
  visual: readonly Span[],
  from: number,
  to: number,
): readonly SlotRun[] {
  const result = [...runs];
  for (let row = from; row < to; row++) {
    const at = visual.findIndex(({ start, end }) => row >= start && row < end);
    const tile = at < 0 ? undefined : at;
    const last = result.at(-1);
    if (last && last.tile === tile) {
      result[result.length - 1] = { tile, seen: last.seen + 1, cached: last.cached + 1 };
    } else result.push({ tile, seen: 1, cached: 1 });
  }
  return result;
}

/**
 * Cuts the image rows to a quota that all tiles share in proportion to the rows that were read of them.
 * @param scores [layer][slot] larger is kept first
 */
export function shrunk(
  runs: readonly SlotRun[],
  quota: number,
  scores: readonly Float64Array[],
  layers: number,
): { readonly plan: KeepPlan; readonly left: readonly SlotRun[] } {
  const tiles = runs.filter(({ tile }) => tile !== undefined);
  const seen = tiles.reduce((sum, run) => sum + run.seen, 0);
  const isWithin = cachedRows(tiles) <= quota;
  const left = runs.map((run) => {
    if (run.tile === undefined || isWithin) return run;
    const share = Math.floor((quota * run.seen) / seen);
    return { ...run, cached: Math.min(run.cached, Math.max(1, share)) };
  });
  const keepOf = (layer: number): Uint32Array => {
    let slot = 0;
    const kept = runs.flatMap(({ cached }, index) => {
      const worth = (scores[layer] as Float64Array).slice(slot, slot + cached);
      const places = topPlaces(worth, (left[index] as SlotRun).cached);
      slot += cached;
      return [...places].map((place) => slot - cached + place);
    });
    return Uint32Array.from(kept);
  };
  const plan = {
    layers: Array.from({ length: layers }, (_, layer) => ({ keep: [keepOf(layer)] })),
  };
  return { plan, left };
}
