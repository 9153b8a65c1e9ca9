import { keptRows } from "@/compression/keepPlan";
import type { KeepPlan, LayerPlan } from "@/compression/types";
import { createGatherKv, type GatherKv } from "@/gpu/kernels/cache/gatherKv";
import { createMergeKv, type MergeKv } from "@/gpu/kernels/cache/mergeKv";
import type { Pool } from "@/gpu/memory";
import type { Recorder } from "@/gpu/recorder";
import { runOnce } from "../scratch";
import type { KvCache } from "./cache";
import { rerotateToPlaces, standingOf } from "./indexPositions";
import type { KvLayer } from "./layer";
import { type KvRegion, layoutRegions, type RowCounts } from "./layout";
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
 * The rows of a layer that changes are gathered into new buffers. As many layers share a submit as keep
 * the live bytes at most one layer above the uncompacted cache. Afterwards every capacity is the rows
 * rounded up to whole blocks. Returns when the work is submitted.
 * @throws PlanError before anything has changed; OutOfMemoryError: layers may have changed
 */
export async function compact(cache: KvCache, plan: KeepPlan, start: RowCounts): Promise<void> {
  checkPlanFor(cache, plan, start);
  const changing = plan.layers.flatMap((_, layer) =>
    keepsAll(cache, plan, start, layer) ? [] : [layer],
  );
  const before = cache.positionMode === "cacheIndex" ? standingOf(cache) : undefined;
  if (changing.length > 0) gather(await prepareGather(cache, plan, start), cache, changing);
  cache.trim();
  if (before) await rerotateToPlaces(cache, plan, start, before);
}

/**
 * A new cache with the rows that a plan keeps; the source does not change. No full copy is made, so
 * comparing policies from one prefill costs only the rows that each of them keeps.
 * @param pool counts its bytes
 * @throws PlanError; OutOfMemoryError, and nothing of it is left
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
  try {
    gather(gathering, fork, [...plan.layers.keys()]);
    if (fork.positionMode === "cacheIndex") {
      await rerotateToPlaces(fork, plan, start, standingOf(cache));
    }
    return fork;
  } catch (error) {
    fork.destroy();
    throw error;
  }
}

/** A plan with everything needed to gather its layers. */
interface Gathering {
  readonly source: KvCache;
  readonly plan: KeepPlan;
  readonly start: RowCounts;
  readonly assignments: Assignments;
  /** [layer]: the regions after the plan. */
  readonly targets: readonly (readonly KvRegion[])[];
  readonly gatherKv: GatherKv;
  /** Absent if no layer merges rows. */
  readonly mergeKv: MergeKv | undefined;
}

async function prepareGather(
  source: KvCache,
  plan: KeepPlan,
  start: RowCounts,
): Promise<Gathering> {
  const { kvType, headDim, reduction = "one" } = source.shape;
  const merges = plan.layers.some(({ merge }) => merge);
  const [gatherKv, mergeKv, assignments] = await Promise.all([
    createGatherKv(source.gpu, kvType, headDim),
    merges ? createMergeKv(source.gpu, kvType, headDim, reduction) : undefined,
    nearestKeepers(source, plan, start),
  ]);
  const targets = plan.layers.map((_, layer) => targetRegions(source, plan, start, layer));
  return { source, plan, start, assignments, targets, gatherKv, mergeKv };
}

/** A layer in its new buffers, which are not installed before the work is submitted. */
interface MovedLayer {
  readonly layer: number;
  readonly created: KvLayer | undefined;
  readonly regions: readonly KvRegion[];
  readonly positions: number[][];
}

/** Gathers layers of the source into new buffers of another cache, or of the source itself. */
function gather(gathering: Gathering, target: KvCache, layers: readonly number[]): void {
  const { gpu } = gathering.source;
  const moved: MovedLayer[] = [];
  try {
    runOnce(gpu, "gather kv", layers.length, (scratch, recorder) => {
      const lists = scratch.upload("lists", listsOf(gathering, layers));
      moveLayers(gathering, { target, layers, moved, lists, recorder });
    });
  } catch (error) {
    const buffers = moved.flatMap(({ created }) => (created ? [created.k, created.v] : []));
    for (const buffer of buffers) gpu.memory.destroy(buffer);
    throw error;
  }
}

interface LayerMoves {
  readonly target: KvCache;
  readonly layers: readonly number[];
  /** Takes layers until they are installed. */
  readonly moved: MovedLayer[];
  readonly lists: GPUBuffer;
  readonly recorder: Recorder;
}

/** Moves one layer after the other; as many share a submit as `compact` says. */
function moveLayers(
  gathering: Gathering,
  { target, layers, moved, lists, recorder }: LayerMoves,
): void {
  const { source, plan, start, targets } = gathering;
  const bytesOf = (regions: readonly KvRegion[]) =>
    regions.reduce((sum, { capacity }) => sum + capacity, 0) * source.rowBytes;
  const most = Math.max(...layers.map((layer) => bytesOf(source.regions(layer))));
  let waiting = 0;
  const submit = () => {
    recorder.submit();
    for (const { layer, created, regions, positions } of moved.splice(0)) {
      target.install(layer, created, regions, positions);
    }
    waiting = 0;
  };
  for (const layer of layers) {
    const regions = targets[layer] as readonly KvRegion[];
    const positions = plannedPositions(source, plan, start, layer);
    const bytes = bytesOf(regions);
    if (waiting > 0 && waiting + bytes > most) submit(); // frees the old buffers of the layers so far
    waiting += bytes;
    const isEmpty = regions.every(({ rows }) => rows === 0);
    const created = isEmpty ? undefined : target.createBuffers(layer, regions);
    moved.push({ layer, created, regions, positions });
    if (created) moveLayer(gathering, recorder, lists, { layer, created, regions });
  }
  submit();
}

function moveLayer(
  { source, plan, gatherKv, mergeKv }: Gathering,
  recorder: Recorder,
  lists: GPUBuffer,
  {
    layer,
    created,
    regions,
  }: Pick<MovedLayer, "layer" | "regions"> & { readonly created: KvLayer },
): void {
  const { merge } = plan.layers[layer] as LayerPlan;
  const heads = source.shape.kvHeads;
  const rows = Math.max(...regions.map((region) => region.rows));
  const moves = { lists, source: source.layer(layer), target: created, heads, layer, rows };
  if (merge && mergeKv) mergeKv(recorder, { ...moves, share: SHARE[merge.rule] });
  else gatherKv(recorder, moves);
}

function targetRegions(
  source: KvCache,
  plan: KeepPlan,
  start: RowCounts,
  layer: number,
): readonly KvRegion[] {
  const layerPlan = plan.layers[layer] as LayerPlan;
  return layoutRegions(
    source.regions(layer).map((_, head) => {
      return startOf(start, layer, head) + keptRows(layerPlan, head).length;
    }),
  );
}

/** Lists of `gather_kv` and of `merge_kv`; heads that keep the same rows share a list. */
function listsOf(gathering: Gathering, layers: readonly number[]): Uint32Array<ArrayBuffer> {
  const { source, plan, targets } = gathering;
  const builder = new ListBuilder(source.shape);
  for (const layer of layers) {
    const layerPlan = plan.layers[layer] as LayerPlan;
    const lists = addLists(builder, layerPlan, gathering.assignments.get(layer));
    for (const [head, { offset }] of source.regions(layer).entries()) {
      const { rows, offset: to } = (targets[layer] as readonly KvRegion[])[head] as KvRegion;
      builder.header(layer, head, [lists[lists.length === 1 ? 0 : head]!, rows, offset, to]);
    }
  }
  return builder.build();
}

/**
 * Adds a layer's lists and returns where they begin: one for all heads, or one per head.
 * @param nearest [head]: for each row the kept row that it is merged into, if the plan leaves that to the keys
 */
function addLists(
  builder: ListBuilder,
  layerPlan: LayerPlan,
  nearest: readonly Int32Array[] | undefined,
): readonly number[] {
  const { keep, merge } = layerPlan;
  if (!merge) {
    return keep.map((kept) => {
      const at = builder.add([kept.length]);
      builder.add(kept);
      return at;
    });
  }
  const into = merge.kind === "assign" ? merge.into : (nearest ?? []);
  return Array.from({ length: Math.max(keep.length, into.length) }, (_, list) => {
    const kept = keptRows(layerPlan, list);
    const { starts, rows } = absorbedRows(kept, into[into.length === 1 ? 0 : list]!);
    const at = builder.add([kept.length]);
    const first = builder.words + starts.length;
    for (let i = 0; i < starts.length; i++) starts[i]! += first;
    builder.add(starts);
    builder.add(rows);
    return at;
  });
}
