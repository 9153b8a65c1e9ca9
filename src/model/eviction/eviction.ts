import type { DecodeRule } from "@/compression/types";
import {
  EVICT_ORDER_WORDS,
  EVICT_PARTS,
  type EvictKernels,
  evictKernels,
} from "@/gpu/kernels/cache/evict";
import { compileNamed } from "@/gpu/kernels/common/kernelCall";
import type { Program, Recorder } from "@/gpu/recorder";
import type { AttentionRecord, DecodeHook } from "../decoder/hooks";
import { FrontRows } from "../kv/frontRows";
import type { RowCounts } from "../kv/layout";
import { Scratch } from "../scratch";
import { AgeOrder } from "./ageOrder";
import { checkRule, type LowestVictim, perHead, planRound } from "./evictionRound";
import { SlotLedger, type SlotLedgerInput } from "./slotLedger";
import { sortSlots } from "./slotOrder";

interface EvictionInput extends SlotLedgerInput {
  /** H, query heads. */
  readonly heads: number;
  readonly rule: DecodeRule;
  /** Rows that the rule does not apply to: those cached before the prompt. */
  readonly start: RowCounts;
  /** Also keep the positions of all slots on the GPU for another reader; see `slots`. */
  readonly tracksSlots?: boolean;
}

/**
 * Executes a policy's decode rule, as a hook of the decoder.
 *
 * Each step appends its row. Then, for every row that is due, the last slot's row is copied over
 * the victim's slot, and the layer is one row shorter. Counts and victims by age are decided here.
 * Victims by score are found on the GPU from running scores, which a kernel after each layer's
 * attention updates; the CPU learns the remaining rows when `finish` reads their positions. During
 * an answer the slots are therefore unordered; `finish` restores the order and releases spare
 * capacity.
 *
 * Scores, positions and orders are in the pool `activations`; the pool `kv` holds keys and values
 * only.
 */
export class Eviction implements DecodeHook {
  /** An evicted row is lost, so a step cannot be undone. */
  readonly isFinal = true;
  readonly #input: EvictionInput;
  readonly #kernels: EvictKernels;
  readonly #scratch: Scratch;
  readonly #lowest: LowestVictim | undefined;
  readonly #orders: GPUBuffer;
  readonly #candidates: GPUBuffer;
  readonly #slots: SlotLedger;
  readonly #ages: AgeOrder;
  /** With positions by cache index: the rows before the evicted ones. */
  readonly #front: FrontRows | undefined;
  #round: { readonly program: Program; readonly version: number } | undefined;

  private constructor(input: EvictionInput, kernels: EvictKernels, front: FrontRows | undefined) {
    const { cache, rule, start } = input;
    const { layers, kvHeads } = cache.shape;
    this.#input = input;
    this.#kernels = kernels;
    this.#front = front;
    this.#lowest = rule.victim.kind === "lowest" ? rule.victim : undefined;
    if (this.#lowest?.perHead) {
      for (let layer = 0; layer < layers; layer++) cache.splitHeads(layer);
    }
    this.#scratch = new Scratch(cache.gpu, "eviction");
    this.#orders = this.#scratch.numbers("orders", layers * kvHeads * EVICT_ORDER_WORDS);
    const parts = this.#lowest ? EVICT_PARTS : 1;
    this.#candidates = this.#scratch.numbers("candidates", layers * kvHeads * parts * 2);
    const isTracked = this.#lowest !== undefined || input.tracksSlots === true;
    this.#slots = new SlotLedger(this.#scratch, input, { isUsed: isTracked });
    this.#ages = new AgeOrder(cache, start);
  }

  /** @throws EvictionError, KernelCompileError, OutOfMemoryError */
  static async create(input: EvictionInput): Promise<Eviction> {
    const { cache, heads, rule } = input;
    checkRule(cache, rule);
    const { kvHeads, headDim, kvType } = cache.shape;
    const shape = { heads, kvHeads, headDim, kvType };
    const isByPlace = cache.positionMode === "cacheIndex";
    const front = isByPlace ? await FrontRows.create(cache) : undefined;
    const byScore = rule.victim.kind === "lowest" ? (["score", "scan"] as const) : [];
    const named = new Set<keyof EvictKernels>([...byScore, "move"]);
    const kernels = await compileNamed(evictKernels(cache.gpu, shape), named);
    return cache.gpu.memory.allOrNothing(() => new Eviction(input, kernels, front));
  }

  /**
   * Positions of the slots' rows, if tracked. With victims by age, the reader must write the
   * position of a step's own row at slot `rows`, because no kernel of the rule does.
   */
  get slots(): { readonly positions: GPUBuffer } {
    return this.#slots;
  }

  /** Moves scores and positions after the cache's buffers have grown. */
  beforeStep(): void {
    this.#slots.follow();
    this.#slots.setClock();
  }

  afterAttention(recorder: Recorder, { layer, q, lse }: AttentionRecord): void {
    if (!this.#lowest) return;
    this.#slots.follow();
    const { cache } = this.#input;
    this.#kernels.score(recorder, {
      table: cache.table,
      k: cache.layer(layer).k,
      query: { q, lse },
      clock: this.#slots.clock,
      slots: this.#slots,
      layer,
      capacity: cache.largestCapacity(layer),
      adds: this.#lowest.scores === "sum",
    });
  }

  /** Counts the step's row and evicts the rows that are due. @throws the rule's errors */
  afterStep(): void {
    const { cache, seenBefore, rule } = this.#input;
    cache.append(1);
    this.#ages.append();
    const seen = cache.seen - seenBefore;
    const due = Array.from({ length: cache.shape.layers }, (_, layer) =>
      this.#ages.lists(layer).map((list) => rule.due(layer, list.governed, seen)),
    );
    const rounds = Math.max(0, ...due.flat());
    for (let round = 0; round < rounds; round++) {
      if (!this.#evict(due.map((lists) => lists.map((count) => count > round)))) return;
    }
  }

  /**
   * Reads back the remaining rows, restores the order of the slots, trims the cache and frees the
   * scratch buffers. Call it when the answer has ended for any reason.
   */
  async finish(): Promise<void> {
    const { cache } = this.#input;
    try {
      if (this.#lowest) await this.#slots.relabel();
      await sortSlots(cache);
      cache.trim();
    } finally {
      this.destroy();
    }
  }

  destroy(): void {
    this.#round?.program.destroy();
    this.#round = undefined;
    this.#front?.destroy();
    this.#scratch.destroy();
  }

  /** One eviction in every list that is due; false if no list had a row to evict. */
  #evict(isDue: readonly (readonly boolean[])[]): boolean {
    const { cache, rule } = this.#input;
    const { orders, vacated, fronts } = planRound(cache, this.#ages, rule, isDue);
    if (vacated.length === 0) return false;
    for (const { layer, slots } of vacated) {
      for (const [head, slot] of perHead(slots, cache.shape.kvHeads).entries()) {
        if (slot >= 0) this.#front?.follow(layer, head, cache.rows(layer, head) - 1, slot);
      }
    }
    this.#submit(orders);
    for (const { layer, slots } of vacated) {
      this.#ages.vacate(layer, slots);
      cache.vacate(layer, slots);
    }
    this.#front?.advance(fronts);
    return true;
  }

  #submit(orders: Uint32Array<ArrayBuffer>): void {
    const { cache } = this.#input;
    const { device } = cache.gpu;
    device.queue.writeBuffer(this.#orders, 0, orders);
    const encoder = device.createCommandEncoder({ label: "evict" });
    this.#currentRound().encode(encoder, "evict");
    device.queue.submit([encoder.finish()]);
  }

  #currentRound(): Program {
    const { cache } = this.#input;
    if (this.#round?.version === cache.version) return this.#round.program;
    this.#round?.program.destroy();
    const { layers } = cache.shape;
    const recorder = cache.gpu.recorder("evict", layers + 1);
    const round = {
      table: cache.table,
      orders: this.#orders,
      candidates: this.#candidates,
      slots: this.#slots,
    };
    if (this.#lowest) {
      this.#kernels.scan(recorder, { ...round, layers, sharesRows: !this.#lowest.perHead });
    }
    for (let layer = 0; layer < layers; layer++) {
      const args = { ...round, ...cache.layer(layer), layer };
      this.#kernels.move(recorder, { ...args, hasLedger: this.#slots.isUsed });
    }
    this.#round = { program: recorder.program(), version: cache.version };
    return this.#round.program;
  }
}
