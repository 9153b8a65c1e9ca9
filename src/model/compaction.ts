import type { KeepPlan, LayerPlan } from "@/compression/types";
import { createCompactKv } from "@/gpu/kernels/compactKv";
import { createMergeKv, type MergeKv } from "@/gpu/kernels/mergeKv";
import { standingOf, turnToPlaces } from "./indexPositions";
import { type KvCache, type KvRegion, layoutRegions, type RowCounts } from "./kvCache";
import { type Assignments, nearestKeepers } from "./nearestKeepers";
import {
  absorbedRows,
  assignedInto,
  checkPlan,
  keepsAll,
  keptRows,
  ListBuilder,
  plannedPositions,
  startOf,
} from "./planLists";

/** Weight of an absorbed row relative to a plain mean, per rule of a merging plan. */
const SHARE = { mean: 1, pivot: 0.5 } as const;

/**
 * Carries a plan out on the rows that were cached since `start`; older rows are not touched.
 *
 * Layers that only drop are compacted in place by one dispatch each, then trimmed: the live bytes
 * never exceed the uncompacted cache by more than one compacted layer, and end as the rows rounded
 * up to the capacity step. Layers that merge are gathered into new buffers, one after the other.
 * Returns when the work is submitted.
 * @throws PlanError before anything has changed
 */
export async function compact(cache: KvCache, plan: KeepPlan, start: RowCounts): Promise<void> {
  checkPlan(cache, plan, start);
  const { kvType, headDim } = cache.shape;
  const [compactKv, mergeKv] = await Promise.all([
    createCompactKv(cache.gpu, kvType, headDim),
    createMergeKv(cache.gpu, kvType, headDim),
  ]);
  const assignments = await nearestKeepers(cache, plan, start);
  const before = standingOf(cache);
  const merging = plan.layers.flatMap(({ merge }, layer) => (merge ? [layer] : []));
  const dropping = plan.layers.flatMap(({ merge }, layer) => {
    return merge || keepsAll(cache, plan, start, layer) ? [] : [layer];
  });

  const lists = upload(cache, dropLists(cache, plan, start, dropping));
  const recorder = cache.gpu.recorder("compact kv");
  for (const layer of dropping) {
    const { k, v } = cache.layer(layer);
    for (const rows of [k, v]) {
      compactKv(recorder, { lists, cache: rows, heads: cache.shape.kvHeads, layer });
    }
  }
  recorder.submit();
  recorder.destroy();
  cache.gpu.memory.destroy(lists);
  for (const layer of dropping) {
    cache.relabel(layer, plannedPositions(cache, plan, start, layer));
  }
  cache.trim();
  gather(cache, cache, plan, start, { layers: merging, assignments, mergeKv });
  if (cache.positionMode === "cacheIndex") await turnToPlaces(cache, plan, start, before);
}

/**
 * A new cache with the rows that a plan keeps of this one, which stays as it is. There is no full
 * copy in between: comparing policies from one prefill costs what each of them keeps.
 */
export async function gatherFork(
  cache: KvCache,
  plan: KeepPlan,
  start: RowCounts,
): Promise<KvCache> {
  checkPlan(cache, plan, start);
  const { kvType, headDim } = cache.shape;
  const mergeKv = await createMergeKv(cache.gpu, kvType, headDim);
  const assignments = await nearestKeepers(cache, plan, start);
  const layers = plan.layers.map((_, layer) => layer);
  const fork = cache.emptyCopy();
  gather(cache, fork, plan, start, { layers, assignments, mergeKv });
  if (fork.positionMode === "cacheIndex") {
    await turnToPlaces(fork, plan, start, standingOf(cache));
  }
  return fork;
}

interface Gather {
  readonly layers: readonly number[];
  readonly assignments: Assignments;
  readonly mergeKv: MergeKv;
}

/** Gathers `layers` of one cache into new buffers of another, or of the same one. */
function gather(
  source: KvCache,
  target: KvCache,
  plan: KeepPlan,
  start: RowCounts,
  { layers, assignments, mergeKv }: Gather,
): void {
  if (layers.length === 0) return;
  const { memory } = source.gpu;
  const targets = layers.map((layer) => targetRegions(source, plan, start, layer));
  const lists = upload(source, mergeLists(source, plan, start, { layers, assignments, targets }));
  const recorder = source.gpu.recorder("gather kv");
  for (const [i, layer] of layers.entries()) {
    const layerPlan = plan.layers[layer] as LayerPlan;
    const regions = targets[i] as readonly KvRegion[];
    const positions = plannedPositions(source, plan, start, layer);
    if (regions.every(({ rows }) => rows === 0)) {
      target.install(layer, undefined, regions, positions);
      continue;
    }
    const created = target.createBuffers(layer, regions);
    const from = source.layer(layer);
    const kept = Math.max(...layerPlan.keep.map((list) => list.length));
    const share = SHARE[layerPlan.merge?.rule ?? "mean"];
    for (const name of ["k", "v"] as const) {
      const buffers = { source: from[name], target: created[name] };
      mergeKv(recorder, { lists, ...buffers, heads: source.shape.kvHeads, layer, kept, share });
    }
    recorder.submit((encoder) => {
      const bytes = source.rowBytes / 2;
      for (const [head, region] of source.regions(layer).entries()) {
        const size = startOf(start, layer, head) * bytes;
        const to = (regions[head] as KvRegion).offset * bytes;
        if (size === 0) continue;
        for (const name of ["k", "v"] as const) {
          const args = [region.offset * bytes, created[name], to, size] as const;
          encoder.copyBufferToBuffer(from[name], ...args);
        }
      }
    });
    target.install(layer, created, regions, positions);
  }
  recorder.destroy();
  memory.destroy(lists);
}

function targetRegions(
  cache: KvCache,
  plan: KeepPlan,
  start: RowCounts,
  layer: number,
): readonly KvRegion[] {
  const layerPlan = plan.layers[layer] as LayerPlan;
  return layoutRegions(
    Array.from({ length: cache.shape.kvHeads }, (_, head) => {
      return startOf(start, layer, head) + keptRows(layerPlan, head).length;
    }),
  );
}

/** Lists of `compact_kv`: shared ones are stored once per layer. */
function dropLists(
  cache: KvCache,
  plan: KeepPlan,
  start: RowCounts,
  layers: readonly number[],
): Uint32Array<ArrayBuffer> {
  const builder = new ListBuilder(cache.shape);
  for (const layer of layers) {
    const { keep } = plan.layers[layer] as LayerPlan;
    const words = keep.map((list) => builder.add(list));
    for (const [head, { offset }] of cache.regions(layer).entries()) {
      const list = keep.length === 1 ? 0 : head;
      const kept = keep[list] as Uint32Array;
      const firstMoved = kept.findIndex((row, i) => row !== i);
      const moves = firstMoved < 0 ? kept.length : firstMoved;
      const base = offset + startOf(start, layer, head);
      builder.header(layer, head, [words[list] as number, kept.length, base, moves]);
    }
  }
  return builder.build();
}

/** Lists of `merge_kv`: per head the rows that make each keeper. */
function mergeLists(
  cache: KvCache,
  plan: KeepPlan,
  start: RowCounts,
  to: Pick<Gather, "layers" | "assignments"> & {
    readonly targets: readonly (readonly KvRegion[])[];
  },
): Uint32Array<ArrayBuffer> {
  const builder = new ListBuilder(cache.shape);
  for (const [i, layer] of to.layers.entries()) {
    const layerPlan = plan.layers[layer] as LayerPlan;
    const targets = to.targets[i] as readonly KvRegion[];
    for (const [head, { offset }] of cache.regions(layer).entries()) {
      const kept = keptRows(layerPlan, head);
      const into = intoOf(layerPlan, to.assignments, layer, head);
      const { starts, rows } = absorbedRows(kept, into);
      const first = builder.words + starts.length;
      const list = builder.add(starts.map((word) => word + first));
      builder.add(rows);
      const base = startOf(start, layer, head);
      const target = (targets[head] as KvRegion).offset + base;
      builder.header(layer, head, [list, kept.length, offset + base, target]);
    }
  }
  return builder.build();
}

function intoOf(
  plan: LayerPlan,
  assignments: Assignments,
  layer: number,
  head: number,
): Int32Array | undefined {
  switch (plan.merge?.kind) {
    case undefined:
      return undefined;
    case "assign":
      return assignedInto(plan.merge, head);
    case "nearestKey":
      return assignments.get(layer)?.[head];
    default:
      return plan.merge satisfies never;
  }
}

function upload(cache: KvCache, words: Uint32Array<ArrayBuffer>): GPUBuffer {
  const buffer = cache.gpu.memory.storage("activations", "kv row lists", words.byteLength);
  cache.gpu.device.queue.writeBuffer(buffer, 0, words);
  return buffer;
}
