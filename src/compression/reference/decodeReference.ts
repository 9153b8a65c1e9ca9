import type { DecodeRule } from "../types";

/**
 * Executes a decode rule on the CPU with ids instead of keys. It is the reference for the cache's
 * bookkeeping and is compared with recordings of the releases.
 *
 * Every layer is a list of ids, oldest first; the newest row's attention gives scores by place.
 */
export class RowLedger {
  readonly layers: readonly CachedLayer[];
  private readonly rule: DecodeRule;

  /**
   * @param kept per layer the ids that the prefill left, oldest first
   * @param sums per layer their column sums, if the rule adds to them
   */
  constructor(
    rule: DecodeRule,
    kept: readonly ArrayLike<number>[],
    sums?: readonly Float64Array[],
  ) {
    this.rule = rule;
    const initial = rule.victim.kind === "lowest" ? rule.victim.initial : undefined;
    this.layers = kept.map((ids, layer) => ({
      ids: Array.from(ids),
      sums: Array.from(initial ?? sums?.[layer] ?? []),
    }));
  }

  /**
   * One decoded token: appends its row to every layer and evicts the rows that are due.
   *
   * @param seen tokens seen so far, this one included
   * @param attention per layer the newest row's head-mean attention, [rows], if the rule needs it
   * @returns rows that were due, per layer
   */
  step(id: number, seen: number, attention?: readonly ArrayLike<number>[]): number[] {
    this.layers.forEach(({ ids, sums }, layer) => {
      ids.push(id);
      const row = attention?.[layer];
      for (let place = 0; row && place < ids.length; place++) {
        sums[place] = (sums[place] ?? 0) + row[place]!;
      }
    });
    const due = this.layers.map(({ ids }, layer) => this.rule.due(layer, ids.length, seen));
    const shared = this.rule.victim.kind === "lowest" && this.rule.victim.across === "model";
    this.layers.forEach((cached, layer) => {
      for (let i = 0; i < due[layer]!; i++) {
        const scores = shared ? this.meanSums() : cached.sums;
        const row = attention?.[layer];
        const place = this.victim(layer, cached, scores, row);
        if (shared) for (const each of this.layers) remove(each, place);
        else remove(cached, place);
      }
      if (shared) due.fill(0, layer + 1);
    });
    return due;
  }

  private victim(
    layer: number,
    { ids }: CachedLayer,
    sums: readonly number[],
    newest: ArrayLike<number> | undefined,
  ): number {
    const { victim } = this.rule;
    if (victim.kind === "age") return victim.index(layer, ids.length);
    const scores = victim.scores === "sum" ? sums : newest;
    if (!scores) throw new RangeError("the rule needs the newest row's attention");
    const last =
      typeof victim.protectLast === "number" ? victim.protectLast : victim.protectLast[layer]!;
    let best = victim.protectFirst;
    for (let place = best; place < ids.length - last; place++) {
      if (scores[place]! < scores[best]!) best = place;
    }
    return best;
  }

  private meanSums(): number[] {
    const lists = this.layers.map(({ sums }) => sums);
    return lists[0]!.map((_, place) =>
      lists.reduce((total, sums) => total + sums[place]! / lists.length, 0),
    );
  }
}

interface CachedLayer {
  readonly ids: number[];
  readonly sums: number[];
}

function remove({ ids, sums }: CachedLayer, place: number): void {
  ids.splice(place, 1);
  sums.splice(place, 1);
}
