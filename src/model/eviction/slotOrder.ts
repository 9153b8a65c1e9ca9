import { createReorderKv } from "@/gpu/kernels/cache/reorderKv";
import type { KvCache } from "../kv/cache";
import { ListBuilder } from "../kv/planLists";
import { runOnce } from "../scratch";

/**
 * The cycles of the permutation that sorts `positions`: each slot of a cycle receives the row of
 * the next slot, the last slot that of the first. Slots already in place are in no cycle.
 */
export function sortingCycles(positions: readonly number[]): readonly (readonly number[])[] {
  const source = positions
    .map((_, slot) => slot)
    .sort((a, b) => (positions[a] as number) - (positions[b] as number));
  const isDone = new Uint8Array(positions.length);
  const cycles: number[][] = [];
  for (let start = 0; start < source.length; start++) {
    const cycle: number[] = [];
    for (let slot = start; !isDone[slot]; slot = source[slot] as number) {
      isDone[slot] = 1;
      cycle.push(slot);
    }
    if (cycle.length > 1) cycles.push(cycle);
  }
  return cycles;
}

/** Sorts the slots of every head by their rows' positions, in place. */
export async function sortSlots(cache: KvCache): Promise<void> {
  const { layers, kvHeads, kvType, headDim } = cache.shape;
  const builder = new ListBuilder(cache.shape);
  const moved = new Set<number>();
  for (let layer = 0; layer < layers; layer++) {
    for (const [head, { offset }] of cache.regions(layer).entries()) {
      const cycles = sortingCycles(cache.positions(layer, head));
      const words = cycles.flatMap((cycle) => [cycle.length, ...cycle]);
      builder.header(layer, head, [builder.add(words), words.length, offset, 0]);
      if (words.length > 0) moved.add(layer);
    }
  }
  if (moved.size === 0) return;
  const reorderKv = await createReorderKv(cache.gpu, kvType, headDim);
  runOnce(cache.gpu, "sort slots", 2 * moved.size, (scratch, recorder) => {
    const lists = scratch.upload("cycles", builder.build());
    for (const layer of moved) {
      const { k, v } = cache.layer(layer);
      for (const rows of [k, v]) reorderKv(recorder, { lists, cache: rows, heads: kvHeads, layer });
    }
    recorder.submit();
  });
  for (const layer of moved) {
    const heads = cache.hasHeadLists(layer) ? kvHeads : 1;
    const sorted = Array.from({ length: heads }, (_, head) =>
      cache.positions(layer, head).toSorted((a, b) => a - b),
    );
    cache.relabel(layer, sorted);
  }
}
