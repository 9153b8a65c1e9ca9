import type { DecodeRule } from "@/compression/types";
import { EVICT_LOWEST, EVICT_ORDER_WORDS } from "@/gpu/kernels/cache/evict";
import type { KvCache } from "../kv/cache";
import type { FrontSlots } from "../kv/frontRows";
import type { AgeOrder } from "./ageOrder";

/** A decode rule needs something that the GPU does not support; the message is one sentence. */
export class EvictionError extends Error {
  override readonly name = "EvictionError";
}

export type LowestVictim = Extract<DecodeRule["victim"], { readonly kind: "lowest" }>;

/** One round of evictions: at most one row of every list. */
interface EvictionRound {
  /** [layers, kvHeads, EVICT_ORDER_WORDS] what the kernels do with each head. */
  readonly orders: Uint32Array<ArrayBuffer>;
  /** Per layer with a victim, the slot of each list: `EVICT_LOWEST` if the GPU finds it, -1 for none. */
  readonly vacated: readonly { readonly layer: number; readonly slots: readonly number[] }[];
  /** Per layer with a victim, the slots of each head's older rows. */
  readonly fronts: readonly FrontSlots[];
}

/** The next round. Nothing changes yet. @param isDue [layer][list] */
export function planRound(
  cache: KvCache,
  ages: AgeOrder,
  { victim }: DecodeRule,
  isDue: readonly (readonly boolean[])[],
): EvictionRound {
  const { layers, kvHeads } = cache.shape;
  const orders = new Uint32Array(layers * kvHeads * EVICT_ORDER_WORDS);
  const vacated: { readonly layer: number; readonly slots: readonly number[] }[] = [];
  const fronts: FrontSlots[] = [];
  for (let layer = 0; layer < layers; layer++) {
    const lists = ages.lists(layer);
    const older: (readonly number[])[] = lists.map(() => []);
    const victims = lists.map((list, i) => {
      if (!isDue[layer]?.[i]) return undefined;
      if (victim.kind === "age") {
        const place = victim.index(layer, list.governed);
        older[i] = list.olderThan(place);
        return list.take(place);
      }
      return list.canGive(victim.protectFirst, lastOf(victim, layer)) ? EVICT_LOWEST : undefined;
    });
    if (victims.every((slot) => slot === undefined)) continue;
    for (let head = 0; head < kvHeads; head++) {
      const i = lists.length === 1 ? 0 : head;
      const slot = victims[i];
      if (slot === undefined) continue;
      const list = lists[i]!;
      const exempt =
        victim.kind === "lowest" ? list.exempt(victim.protectFirst, lastOf(victim, layer)) : [0, 0];
      const order = [cache.rows(layer, head), slot, list.base, 0, ...exempt, 0, 0];
      orders.set(order, (layer * kvHeads + head) * EVICT_ORDER_WORDS);
    }
    vacated.push({ layer, slots: victims.map((slot) => slot ?? -1) });
    fronts.push({ layer, slots: perHead(older, kvHeads) });
  }
  return { orders, vacated, fronts };
}

/** Expands one value per list to one per head. */
export function perHead<T>(lists: readonly T[], heads: number): readonly T[] {
  return lists.length === 1 ? new Array<T>(heads).fill(lists[0] as T) : lists;
}

function lastOf({ protectLast }: LowestVictim, layer: number): number {
  return typeof protectLast === "number" ? protectLast : (protectLast[layer] as number);
}

/** @throws EvictionError where a cache cannot follow a rule */
export function checkRule(cache: KvCache, { victim }: DecodeRule): void {
  if (victim.kind === "age") return;
  if (cache.positionMode === "cacheIndex") {
    throw new EvictionError("Positions by cache index need victims by age.");
  }
  if (victim.initial || victim.across === "model") {
    throw new EvictionError("This variant of the policy is supported on the CPU only.");
  }
  for (let layer = 0; layer < cache.shape.layers; layer++) {
    if (!victim.perHead && cache.hasHeadLists(layer)) {
      throw new EvictionError(
        `The heads of layer ${layer} hold different rows and share no victim.`,
      );
    }
  }
}
