import { checkPlan, keptRows } from "@/compression/keepPlan";
import type { KeepPlan, LayerPlan } from "@/compression/types";
import type { KvCache } from "./cache";
import type { RowCounts } from "./layout";

/** @throws PlanError if a plan cannot be executed on the rows cached since `start` */
export function checkPlanFor(cache: KvCache, plan: KeepPlan, start: RowCounts): void {
  const { layers, kvHeads } = cache.shape;
  const rows = (layer: number, head: number) => spanRows(cache, start, layer, head);
  checkPlan(plan, { layers, kvHeads, rows });
}

/** Rows of a head that were cached since `start`. */
export function spanRows(cache: KvCache, start: RowCounts, layer: number, head: number): number {
  return cache.rows(layer, head) - startOf(start, layer, head);
}

/** Rows of a head before a span. */
export function startOf(start: RowCounts, layer: number, head: number): number {
  return (start[layer] as readonly number[])[head] as number;
}

/** Whether a layer plan keeps every row of its span and merges none. */
export function keepsAll(cache: KvCache, plan: KeepPlan, start: RowCounts, layer: number): boolean {
  const layerPlan = plan.layers[layer] as LayerPlan;
  if (layerPlan.merge) return false;
  return everyHead(cache, (head) => {
    return keptRows(layerPlan, head).length === spanRows(cache, start, layer, head);
  });
}

function everyHead(cache: KvCache, holds: (head: number) => boolean): boolean {
  return Array.from({ length: cache.shape.kvHeads }, (_, head) => head).every(holds);
}

/**
 * Original positions of the slots after the plan, one list per head or one for all of them. A kept
 * row keeps its own position, whatever is merged into it.
 */
export function plannedPositions(
  cache: KvCache,
  plan: KeepPlan,
  start: RowCounts,
  layer: number,
): number[][] {
  const layerPlan = plan.layers[layer] as LayerPlan;
  const hasHeadLists = layerPlan.keep.length > 1 || cache.hasHeadLists(layer);
  return Array.from({ length: hasHeadLists ? cache.shape.kvHeads : 1 }, (_, head) => {
    const positions = cache.positions(layer, head);
    const base = startOf(start, layer, head);
    const kept = keptRows(layerPlan, head);
    // A loop into a list of its final length: it is called for every layer while the GPU waits.
    const planned = new Array<number>(base + kept.length);
    for (let slot = 0; slot < base; slot++) planned[slot] = positions[slot] as number;
    for (let i = 0; i < kept.length; i++) {
      planned[base + i] = positions[base + (kept[i] as number)] as number;
    }
    return planned;
  });
}

/**
 * u32 lists of a kernel: a header of four words per (layer, head), then the lists that it points
 * to.
 */
export class ListBuilder {
  readonly #header: Uint32Array;
  readonly #parts: ArrayLike<number>[] = [];
  readonly #kvHeads: number;
  #words: number;

  constructor({ layers, kvHeads }: { readonly layers: number; readonly kvHeads: number }) {
    this.#kvHeads = kvHeads;
    this.#header = new Uint32Array(layers * kvHeads * 4);
    this.#words = this.#header.length;
  }

  /** Number of words so far: the start of the next `add`. */
  get words(): number {
    return this.#words;
  }

  /** Appends words and returns where they begin. */
  add(words: ArrayLike<number>): number {
    const at = this.#words;
    this.#parts.push(words);
    this.#words += words.length;
    return at;
  }

  header(layer: number, head: number, words: readonly [number, number, number, number]): void {
    this.#header.set(words, (layer * this.#kvHeads + head) * 4);
  }

  build(): Uint32Array<ArrayBuffer> {
    const words = new Uint32Array(this.#words);
    words.set(this.#header);
    let at = this.#header.length;
    for (const part of this.#parts) {
      words.set(part, at);
      at += part.length;
    }
    return words;
  }
}

/**
 * The rows that are merged into each kept row, itself first: `starts[i] .. starts[i + 1]` of
 * `rows`.
 * @param into for each row of the span the kept row that absorbs it, or a negative number
 */
export function absorbedRows(
  kept: Uint32Array,
  into: Int32Array,
): { readonly starts: Uint32Array; readonly rows: Uint32Array } {
  /** [span]: index of a kept row. */
  const places = new Uint32Array(into.length);
  for (let i = 0; i < kept.length; i++) places[kept[i]!] = i;
  const starts = new Uint32Array(kept.length + 1);
  for (let row = 0; row < into.length; row++) {
    const keeper = into[row]!;
    if (keeper >= 0) starts[places[keeper]! + 1]! += 1;
  }
  for (let i = 0; i < kept.length; i++) starts[i + 1]! += starts[i]! + 1;
  const rows = new Uint32Array(starts[kept.length]!);
  const next = starts.slice();
  for (let i = 0; i < kept.length; i++) rows[next[i]!++] = kept[i]!;
  for (let row = 0; row < into.length; row++) {
    const keeper = into[row]!;
    if (keeper >= 0) rows[next[places[keeper]!]!++] = row;
  }
  return { starts, rows };
}
