import { keptRows } from "@/compression/keepPlan";
import type { KeepPlan, LayerPlan } from "@/compression/types";
import { createNearestKey } from "@/gpu/kernels/cache/nearestKey";
import { runOnce } from "../scratch";
import type { KvCache } from "./cache";
import type { RowCounts } from "./layout";
import { ListBuilder, spanRows, startOf } from "./planLists";

/** layer → [head]: for each span row the kept row that it is merged into, or -1. */
export type Assignments = ReadonlyMap<number, readonly Int32Array[]>;

/** For `nearestKey` plans, finds the kept row with the highest key cosine for every dropped row. */
export async function nearestKeepers(
  cache: KvCache,
  plan: KeepPlan,
  start: RowCounts,
): Promise<Assignments> {
  const { gpu, shape } = cache;
  const layers = plan.layers.flatMap((p, layer) => (p.merge?.kind === "nearestKey" ? [layer] : []));
  if (layers.length === 0) return new Map();
  const { words, starts, dropped } = buildLists(cache, plan, start, layers);
  const nearestKey = await createNearestKey(gpu, shape.kvType, shape.headDim);
  const reading = runOnce(gpu, "nearest keys", layers.length, (scratch, recorder) => {
    const lists = scratch.upload("lists", words);
    const nearest = scratch.numbers("keepers", words.length);
    for (const layer of layers) {
      const { k: keys } = cache.layer(layer);
      const heads = shape.kvHeads;
      nearestKey(recorder, { lists, keys, nearest, heads, layer, starts, dropped });
    }
    recorder.submit();
    return gpu.read(nearest);
  });
  const found = new Uint32Array(await reading);
  const intoOf = (layer: number) =>
    Array.from({ length: shape.kvHeads }, (_, head) => {
      const into = new Int32Array(spanRows(cache, start, layer, head)).fill(-1);
      const keepers = absorbing(plan.layers[layer] as LayerPlan, head);
      const header = (layer * shape.kvHeads + head) * 4;
      const [droppedAt, droppedCount] = [words[header + 2]!, words[header + 3]!];
      for (let i = droppedAt; i < droppedAt + droppedCount; i++) {
        into[words[i]!] = keepers[found[i]!] ?? -1;
      }
      return into;
    });
  return new Map(layers.map((layer) => [layer, intoOf(layer)]));
}

interface NearestLists {
  readonly words: Uint32Array<ArrayBuffer>;
  /** Word where the spans' starts begin. */
  readonly starts: number;
  /** Largest number of dropped rows of a head. */
  readonly dropped: number;
}

function buildLists(
  cache: KvCache,
  plan: KeepPlan,
  start: RowCounts,
  layers: readonly number[],
): NearestLists {
  const { kvHeads, layers: layerCount } = cache.shape;
  const builder = new ListBuilder(cache.shape);
  const bases = new Uint32Array(layerCount * kvHeads);
  let most = 0;
  for (const layer of layers) {
    for (const [head, { offset }] of cache.regions(layer).entries()) {
      const layerPlan = plan.layers[layer] as LayerPlan;
      const keepers = absorbing(layerPlan, head);
      const rows = spanRows(cache, start, layer, head);
      const dropped = complement(keptRows(layerPlan, head), rows);
      most = Math.max(most, dropped.length);
      const keepersAt = builder.add(keepers);
      const droppedAt = builder.add(dropped);
      builder.header(layer, head, [keepersAt, keepers.length, droppedAt, dropped.length]);
      bases[layer * kvHeads + head] = offset + startOf(start, layer, head);
    }
  }
  const starts = builder.add(bases);
  return { words: builder.build(), starts, dropped: most };
}

/** The kept rows of a head that others may be merged into. */
function absorbing(plan: LayerPlan, head: number): Uint32Array {
  const kept = keptRows(plan, head);
  const among = plan.merge?.kind === "nearestKey" ? plan.merge.among : undefined;
  if (!among) return kept;
  const allowed = new Set(among);
  return kept.filter((row) => allowed.has(row));
}

/** The rows below `rows` that are not in an ascending list. */
function complement(kept: Uint32Array, rows: number): Uint32Array {
  const missing = new Uint32Array(rows - kept.length);
  let next = 0;
  let at = 0;
  for (let row = 0; row < rows; row++) {
    if (kept[next] === row) next++;
    else missing[at++] = row;
  }
  return missing;
}
