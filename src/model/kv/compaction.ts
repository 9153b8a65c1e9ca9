import { absorbedInto, keptRows } from "@/compression/keepPlan";
import type { KeepPlan, LayerPlan } from "@/compression/types";
import { createCompactKv } from "@/gpu/kernels/cache/compactKv";
import { createMergeKv, type MergeKv } from "@/gpu/kernels/cache/mergeKv";
import type { Pool } from "@/gpu/memory";
import { Scratch } from "../scratch";
import type { KvCache } from "./cache";
import { rerotateToPlaces, standingOf } from "./indexPositions";
import type { RowCounts } from "./layout";
import { type KvRegion, layoutRegions } from "./layout";
import { type Assignments, nearestKeepers } from "./nearestKeepers";
import {
  absorbedRows,
  checkPlanFor,
  keepsAll,
  ListBuilder,
  plannedPositions,
  startOf,
} from "./planLists";

/** Weight of a merged row relative to a plain mean, per rule of a merging plan. */
const SHARE = { mean: 1, pivot: 0.5 } as const;

/**
 * Executes a plan on the rows cached since `start`; older rows do not change.
 *
 * Layers that only drop rows are compacted in place by one dispatch each, then trimmed. The live
 * bytes exceed the uncompacted cache by at most one compacted layer, and end as the rows rounded up
 * to the capacity step. Layers that merge are gathered into new buffers, one after the other.
 * Returns when the work is submitted.
 * @throws PlanError before anything has changed
 */
export async function compact(cache: KvCache, plan: KeepPlan, start: RowCounts): Promise<void> {
  checkPlanFor(cache, plan, start);
  const { kvType, headDim } = cache.shape;
  const compactKv = await createCompactKv(cache.gpu, kvType, headDim);
  const merging = plan.layers.flatMap(({ merge }, layer) => (merge ? [layer] : []));
  const gathering = merging.length > 0 ? await prepareGather(cache, plan, start) : undefined;
  const before = standingOf(cache);
  const dropping = plan.layers.flatMap(({ merge }, layer) => {
    return merge || keepsAll(cache, plan, start, layer) ? [] : [layer];
  });

  if (dropping.length > 0) {
    const scratch = new Scratch(cache.gpu, "compaction");
    const lists = scratch.upload("lists", dropLists(cache, plan, start, dropping));
    const recorder = cache.gpu.recorder("compact kv", 2 * dropping.length);
    for (const layer of dropping) {
      const { k, v } = cache.layer(layer);
      for (const rows of [k, v]) {
        compactKv(recorder, { lists, cache: rows, heads: cache.shape.kvHeads, layer });
      }
    }
    recorder.submit();
    recorder.destroy();
    scratch.destroy();
  }
  for (const layer of dropping) cache.relabel(layer, plannedPositions(cache, plan, start, layer));
  cache.trim();
  if (gathering) gather(gathering, cache, merging);
  if (cache.positionMode === "cacheIndex") await rerotateToPlaces(cache, plan, start, before);
}

/**
 * A new cache with the rows that a plan keeps; the source does not change. No full copy is made, so
 * comparing policies from one prefill costs only the rows that each of them keeps.
 * @param pool counts its bytes
 * @throws PlanError
 */
export async function gatherFork(
  cache: KvCache,
  plan: KeepPlan,
  start: RowCounts,
  pool: Pool = "kv",
): Promise<KvCache> {
  checkPlanFor(cache, plan, start);
  const gathering = await prepareGather(cache, plan, start);
  const fork = cache.emptyCopy();
  fork.countIn(pool);
  gather(gathering, fork, [...plan.layers.keys()]);
  if (fork.positionMode === "cacheIndex") {
    await rerotateToPlaces(fork, plan, start, standingOf(cache));
  }
  return fork;
}

/** A plan with everything needed to gather its layers. */
interface Gathering {
  readonly source: KvCache;
  readonly plan: KeepPlan;
  readonly start: RowCounts;
  readonly assignments: Assignments;
  readonly mergeKv: MergeKv;
}

async function prepareGather(
  source: KvCache,
  plan: KeepPlan,
  start: RowCounts,
): Promise<Gathering> {
  const { kvType, headDim } = source.shape;
  const mergeKv = await createMergeKv(source.gpu, kvType, headDim);
  const assignments = await nearestKeepers(source, plan, start);
  return { source, plan, start, assignments, mergeKv };
}

/** Gathers layers of the source into new buffers of another cache, or of the source itself. */
function gather(gathering: Gathering, target: KvCache, layers: readonly number[]): void {
  const { source, plan, start, mergeKv } = gathering;
  const { gpu } = source;
  const scratch = new Scratch(gpu, "gather");
  const lists = scratch.upload("lists", mergeLists(gathering, layers));
  const recorder = gpu.recorder("gather kv", 2);
  for (const layer of layers) {
    const { keep, merge } = plan.layers[layer] as LayerPlan;
    const regions = targetRegions(gathering, layer);
    const positions = plannedPositions(source, plan, start, layer);
    if (regions.every(({ rows }) => rows === 0)) {
      target.install(layer, undefined, regions, positions);
      continue;
    }
    const created = target.createBuffers(layer, regions);
    source.copyRows(layer, start[layer] ?? [], created, regions);
    const kept = Math.max(...keep.map((list) => list.length));
    const shared = { lists, heads: source.shape.kvHeads, layer, kept };
    const share = SHARE[merge?.rule ?? "mean"];
    const { k, v } = source.layer(layer);
    mergeKv(recorder, { ...shared, share, source: k, target: created.k });
    mergeKv(recorder, { ...shared, share, source: v, target: created.v });
    recorder.submit();
    target.install(layer, created, regions, positions);
  }
  recorder.destroy();
  scratch.destroy();
}

function targetRegions({ source, plan, start }: Gathering, layer: number): readonly KvRegion[] {
  const layerPlan = plan.layers[layer] as LayerPlan;
  return layoutRegions(
    source.regions(layer).map((_, head) => {
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

/** Lists of `merge_kv`: per head, the rows that are merged into each kept row. */
function mergeLists(gathering: Gathering, layers: readonly number[]): Uint32Array<ArrayBuffer> {
  const { source, plan, start, assignments } = gathering;
  const builder = new ListBuilder(source.shape);
  for (const layer of layers) {
    const layerPlan = plan.layers[layer] as LayerPlan;
    const targets = targetRegions(gathering, layer);
    for (const [head, { offset }] of source.regions(layer).entries()) {
      const kept = keptRows(layerPlan, head);
      const { starts, rows } = absorbedRows(kept, intoOf(layerPlan, assignments, layer, head));
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
      return absorbedInto(plan.merge, head);
    case "nearestKey":
      return assignments.get(layer)?.[head];
    default:
      return plan.merge satisfies never;
  }
}
